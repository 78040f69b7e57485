#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Every language that is shipped says everything: the strings of the window, the catalogue entry, the help. usage: check-translations.sh SOURCE
set -u
cd "$1" || exit 1
for tool in xgettext msgmerge msgattrib msgfmt; do
  command -v $tool > /dev/null || { echo "1..0 # SKIP $tool is not installed (package gettext)"; exit 0; }
done
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
n=0 bad=0
# rule NAME, offending lines on stdin
rule() {
  local lines; lines=$(cat); n=$((n + 1))
  if [ -n "$lines" ]; then
    echo "not ok $n - $1"; printf '%s\n' "$lines" | head -n 20 | sed 's/^/# /'; bad=1
  else
    echo "ok $n - $1"
  fi
}

grep -v '^#' po/POTFILES > "$work/files"
xgettext --from-code=UTF-8 --add-comments --keyword=_ --keyword=N_ --keyword=C_:1c,2 --keyword=NC_:1c,2 --keyword=g_dngettext:2,3 --keyword=N2_:1,2 \
  --keyword=g_dcgettext:2 --keyword=g_dpgettext2:2c,3 --files-from="$work/files" --output="$work/all.pot" 2> "$work/errors" ||
  { sed 's/^/# /' "$work/errors"; echo "Bail out! xgettext failed"; exit 1; }
rule 'strings are found at all' < <([ "$(grep -c '^msgid' "$work/all.pot")" -gt 300 ] || echo "only $(grep -c '^msgid' "$work/all.pot")")
rule 'every file with strings is listed in po/POTFILES' < <(grep -lE '[^A-Za-z]N?_ \("|g_dngettext \(|translatable="yes"' -r app --include='*.c' --include='*.ui' |
  while read -r file; do grep -qxF "$file" "$work/files" || echo "$file"; done)
rule 'po/POTFILES lists files that are there' < <(while read -r file; do [ -f "$file" ] || echo "$file"; done < "$work/files")

for language in $(grep -v '^#' po/LINGUAS); do
  msgmerge --quiet --no-fuzzy-matching "po/$language.po" "$work/all.pot" --output-file="$work/$language.po"
  rule "$language: nothing is untranslated" < <(msgattrib --untranslated --no-obsolete --no-location "$work/$language.po" | grep -E '^msgid "' | grep -v '^msgid ""$')
  rule "$language: no long string is untranslated" < <([ "$(msgattrib --untranslated --no-obsolete "$work/$language.po" | wc -l)" -eq 0 ] || echo 'see msgattrib --untranslated')
  rule "$language: nothing is only guessed" < <(msgattrib --only-fuzzy --no-obsolete --no-location "po/$language.po" | grep -E '^msgid')
  rule "$language: formats and plurals fit" < <(msgfmt --check-format --check-domain --output-file=/dev/null "po/$language.po" 2>&1 | grep -E 'error')
  rule "$language: the help has every page, as long as the original" < <(for page in data/help/C/espalier/*.page; do
    other="data/help/$language/espalier/$(basename "$page")"
    if [ ! -f "$other" ]; then echo "$other is missing"
    elif [ "$(grep -oE '<(p|title|item)>' "$page" | wc -l)" != "$(grep -oE '<(p|title|item)>' "$other" | wc -l)" ]; then echo "$other says more or less than $page"
    fi
  done)
done
echo "1..$n"
exit $bad
