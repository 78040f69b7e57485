/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Zip archives changed as archives: the bytes of one member, its name, or whether it is there, with sums that hold again. */

#include "mutate.h"

#include "nn-rng.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

/* One in so many changes is of the bytes as they lie. */
#define OF_BYTES 6
#define MOST_MEMBERS 32
/* The longest member that is changed. */
#define LONGEST 65536

typedef struct {
  char      *name;
  GByteArray *bytes;
} Member;

static void
member_free (Member *member)
{
  g_free (member->name);
  g_byte_array_unref (member->bytes);
  g_free (member);
}

static GPtrArray *
read_members (const uint8_t *data,
              size_t         size)
{
  GPtrArray *members = g_ptr_array_new_with_free_func ((GDestroyNotify) member_free);
  struct archive *zip = archive_read_new ();
  struct archive_entry *entry;

  archive_read_support_format_zip (zip);
  if (archive_read_open_memory (zip, data, size) == ARCHIVE_OK)
    while (members->len < MOST_MEMBERS && archive_read_next_header (zip, &entry) == ARCHIVE_OK)
      {
        g_autofree guint8 *buffer = g_malloc (LONGEST);
        la_ssize_t n = archive_read_data (zip, buffer, LONGEST);
        Member *member = g_new0 (Member, 1);

        member->name = g_strdup (archive_entry_pathname (entry) != NULL ? archive_entry_pathname (entry) : "x");
        member->bytes = g_byte_array_new ();
        g_byte_array_append (member->bytes, buffer, MAX (n, 0));
        g_ptr_array_add (members, member);
      }
  archive_read_free (zip);
  return members;
}

static void
change (GPtrArray *members,
        NnRng     *rng)
{
  guint i = nn_rng_below (rng, members->len);
  Member *member = members->pdata[i], *other = members->pdata[nn_rng_below (rng, members->len)];
  guint n = member->bytes->len;

  switch (nn_rng_below (rng, 16))
    {
    case 0:
      g_ptr_array_remove_index (members, i);
      break;
    case 1:
      if (other != member)
        {
          g_free (member->name);
          member->name = g_strdup (other->name);
        }
      break;
    default:
      g_byte_array_set_size (member->bytes, LONGEST);
      g_byte_array_set_size (member->bytes, LLVMFuzzerMutate (member->bytes->data, n, LONGEST));
      break;
    }
}

/* Bytes written, or 0 where they do not fit. */
static size_t
write_members (GPtrArray *members,
               gboolean   deflate,
               uint8_t   *data,
               size_t     max_size)
{
  struct archive *zip = archive_write_new ();
  gboolean good = archive_write_set_format_zip (zip) == ARCHIVE_OK && archive_write_set_bytes_in_last_block (zip, 1) == ARCHIVE_OK &&
                  archive_write_set_options (zip, deflate ? "zip:compression=deflate" : "zip:compression=store") == ARCHIVE_OK;
  size_t used = 0;

  good = good && archive_write_open_memory (zip, data, max_size, &used) == ARCHIVE_OK;
  for (guint i = 0; good && i < members->len; i++)
    {
      const Member *member = members->pdata[i];
      struct archive_entry *entry = archive_entry_new ();

      archive_entry_set_pathname (entry, *member->name != '\0' ? member->name : "x");
      archive_entry_set_size (entry, member->bytes->len);
      archive_entry_set_filetype (entry, AE_IFREG);
      archive_entry_set_perm (entry, 0644);
      good = archive_write_header (zip, entry) == ARCHIVE_OK &&
             archive_write_data (zip, member->bytes->data, member->bytes->len) == (la_ssize_t) member->bytes->len;
      archive_entry_free (entry);
    }
  good = archive_write_close (zip) == ARCHIVE_OK && good;
  archive_write_free (zip);
  return good ? used : 0;
}

size_t
LLVMFuzzerCustomMutator (uint8_t     *data,
                         size_t       size,
                         size_t       max_size,
                         unsigned int seed)
{
  g_autoptr (GPtrArray) members = NULL;
  g_autofree uint8_t *written = NULL;
  size_t n = 0;
  NnRng rng;

  nn_rng_init (&rng, seed);
  if (nn_rng_below (&rng, OF_BYTES) > 0)
    members = read_members (data, size);
  if (members != NULL && members->len > 0)
    {
      change (members, &rng);
      written = g_malloc (max_size);
      n = write_members (members, nn_rng_below (&rng, 2) == 0, written, max_size);
    }
  if (n == 0)
    return LLVMFuzzerMutate (data, size, max_size);
  memcpy (data, written, n);
  return n;
}
