/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text that does not depend on the locale. */

#include "nn-text.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* A double is told apart by at most 17 significant decimal digits (IEEE 754-2008, 5.12.2). */
#define MAX_DIGITS 17
/* Decimals of as many digits are all told apart by normal doubles (DBL_DIG), so that one of them that fits is the shortest. */
#define SAFE_DIGITS 15
/* Whole numbers below this are written with all their digits, each of which counts. */
#define MAX_WHOLE 1e15
/* 10^22 is the largest power of ten that a double holds exactly, and its 5^22 times a mantissa goes into 128 bits. */
#define MAX_EXACT_DECIMALS 22
#define MANTISSA_BITS 53
#define LONGEST_NUMBER 512
/* The shortest text of numbers below this has an exponent. */
#define LEAST_PLAIN 1e-4
/* A fraction of f bits has f decimals, of which the last is a 5. */
#define MAX_FRACTION_BITS 14

__extension__ typedef unsigned __int128 UWide;

/* Below how many digits no text reads back as @value. */
static int
first_digits (double value)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  int last = SAFE_DIGITS; /* place of the last digit but zeros in "-d.dddddddddddddde+ddd" */

  if (value != 0 && !isnormal (value))
    return 1;
  g_ascii_formatd (buffer, sizeof buffer, "%.14e", value);
  if (g_ascii_strtod (buffer, NULL) != value)
    return SAFE_DIGITS + 1;
  last += buffer[0] == '-';
  while (buffer[last] == '0')
    last--;
  return buffer[last] == '.' ? 1 : last - (buffer[0] == '-');
}

/* The text of @value, at the end of @buffer, if it is a multiple of 2^-14 of at most 15 digits, which numbers of hardware mostly are:
 * it is all of these digits, as no other decimal of as few reads back as the same. */
static const char *
plain_text (double value,
            char   buffer[G_ASCII_DTOSTR_BUF_SIZE])
{
  char *at = buffer + G_ASCII_DTOSTR_BUF_SIZE - 1;
  double scaled = fabs (value);
  guint64 units = 1;
  int decimals = 0;

  for (; decimals < MAX_FRACTION_BITS && scaled != floor (scaled); decimals++)
    {
      scaled *= 2;
      units *= 5;
    }
  if (scaled != floor (scaled) || scaled * (double) units >= MAX_WHOLE || (value != 0 && fabs (value) < LEAST_PLAIN))
    return NULL;
  units *= (guint64) scaled;
  *at = '\0';
  for (int digit = 0; digit <= decimals || units > 0; digit++, units /= 10)
    {
      if (digit == decimals && decimals > 0)
        *--at = '.';
      *--at = '0' + units % 10;
    }
  if (signbit (value))
    *--at = '-';
  return at;
}

/**
 * nn_text_from_double:
 *
 * The shortest decimal text that reads back as the same double, with a point whatever the locale. Whole numbers have no
 * exponent as far as all their digits count: tools that are told a clock of "1e+01 ns" do not all understand it.
 *
 * Returns: (transfer full): the text; "nan", "inf" or "-inf" for what is not finite
 */
char *
nn_text_from_double (double value)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  const char *plain;

  if (isnan (value))
    return g_strdup ("nan");
  if (isinf (value))
    return g_strdup (value < 0 ? "-inf" : "inf");
  plain = plain_text (value, buffer);
  if (plain != NULL)
    return g_strdup (plain);
  for (int digits = first_digits (value); digits <= MAX_DIGITS; digits++)
    {
      char format[8];

      g_snprintf (format, sizeof format, "%%.%dg", digits);
      g_ascii_formatd (buffer, sizeof buffer, format, value);
      if (g_ascii_strtod (buffer, NULL) == value)
        break;
    }
  return g_strdup (buffer);
}

void
nn_text_append_double (GString *text,
                       double   value)
{
  g_autofree char *number = nn_text_from_double (value);

  g_string_append (text, number);
}

/* @mantissa times 2^-@shift, ties to even. */
static UWide
shift_to_even (UWide mantissa,
               int   shift)
{
  UWide whole, rest, half;

  if (shift <= 0)
    return mantissa << -shift;
  if (shift > 127)
    return 0;
  whole = mantissa >> shift;
  rest = mantissa & (((UWide) 1 << shift) - 1);
  half = (UWide) 1 << (shift - 1);
  return whole + (rest > half || (rest == half && (whole & 1)) ? 1 : 0);
}

/* The number of units of 10^-@digits, where it can be told without text; a quotient of two exact doubles is rounded once, as text is. */
static gboolean
exact_decimals (double  value,
                guint   digits,
                double *result)
{
  int exponent;
  double mantissa = frexp (fabs (value), &exponent);
  UWide units = (guint64) ldexp (mantissa, MANTISSA_BITS);
  double power = 1;
  int shift = MANTISSA_BITS - exponent - (int) digits;

  if (digits > MAX_EXACT_DECIMALS || !isfinite (value) || shift < 0)
    return FALSE;
  for (guint k = 0; k < digits; k++)
    {
      units *= 5;
      power *= 10;
    }
  units = shift_to_even (units, shift);
  if (units >= (UWide) 1 << MANTISSA_BITS)
    return FALSE;
  *result = copysign ((double) units / power, value);
  return TRUE;
}

/**
 * nn_text_decimals:
 * @value: a finite number
 * @digits: after the point, at most 200
 *
 * Returns: what is read back where @value was written with @digits decimals, as printf() writes it
 */
double
nn_text_decimals (double value,
                  guint  digits)
{
  char format[16], text[LONGEST_NUMBER];
  double result;

  if (exact_decimals (value, digits, &result))
    return result;
  g_snprintf (format, sizeof format, "%%.%uf", digits);
  return g_ascii_strtod (g_ascii_formatd (text, sizeof text, format, value), NULL);
}

/**
 * nn_text_to_double:
 * @value: (out): the number
 *
 * Returns: whether the whole of @text, blanks around it aside, is one number
 */
gboolean
nn_text_to_double (const char *text,
                   double     *value)
{
  char *end;

  *value = g_ascii_strtod (text, &end);
  if (end == text)
    return FALSE;
  while (g_ascii_isspace (*end))
    end++;
  return *end == '\0';
}

gboolean
nn_text_to_int (const char *text,
                gint64     *value)
{
  char *end;

  errno = 0;
  *value = g_ascii_strtoll (text, &end, 10);
  if (end == text || errno != 0)
    return FALSE;
  while (g_ascii_isspace (*end))
    end++;
  return *end == '\0';
}

/**
 * nn_text_identifier:
 *
 * Turns any name into a C identifier: what is not a letter, digit or underscore becomes an underscore, and a
 * leading digit is preceded by one.
 *
 * Returns: (transfer full): the identifier, never empty
 */
char *
nn_text_identifier (const char *name)
{
  GString *id = g_string_new (NULL);

  if (*name == '\0' || g_ascii_isdigit (*name))
    g_string_append_c (id, '_');
  for (; *name != '\0'; name++)
    g_string_append_c (id, g_ascii_isalnum (*name) ? *name : '_');
  return g_string_free (id, FALSE);
}

/* Levenshtein's distance, letters compared without case. */
static guint
distance (const char *a,
          const char *b)
{
  gsize n = strlen (b);
  g_autofree guint *row = g_new (guint, n + 1);

  for (gsize j = 0; j <= n; j++)
    row[j] = j;
  for (gsize i = 0; a[i] != '\0'; i++)
    {
      guint diagonal = row[0];

      row[0] = i + 1;
      for (gsize j = 0; j < n; j++)
        {
          guint cost = g_ascii_tolower (a[i]) != g_ascii_tolower (b[j]);
          guint next = MIN (MIN (row[j], row[j + 1]) + 1, diagonal + cost);

          diagonal = row[j + 1];
          row[j + 1] = next;
        }
    }
  return row[n];
}

/**
 * nn_text_nearest:
 * @words: %NULL-terminated
 *
 * Returns: (nullable): the word of @words that @word is most likely a misspelling of
 */
const char *
nn_text_nearest (const char         *word,
                 const char * const *words)
{
  const char *best = NULL;
  guint best_distance = G_MAXUINT;

  for (; *words != NULL; words++)
    {
      guint d = distance (word, *words);

      if (d < best_distance)
        {
          best = *words;
          best_distance = d;
        }
    }
  return best;
}

/**
 * nn_text_thousands:
 *
 * Returns: (transfer full): @value with a narrow no-break space between groups of three digits
 */
char *
nn_text_thousands (gint64 value)
{
  g_autofree char *digits = g_strdup_printf ("%" G_GINT64_FORMAT, ABS (value));
  gsize n = strlen (digits);
  GString *text = g_string_new (value < 0 ? "\342\210\222" : NULL);

  for (gsize i = 0; i < n; i++)
    {
      if (i > 0 && (n - i) % 3 == 0)
        g_string_append (text, "\342\200\257");
      g_string_append_c (text, digits[i]);
    }
  return g_string_free (text, FALSE);
}
