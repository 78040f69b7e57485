#!/usr/bin/env bash
# Completion of the command line: COMPLETION PROGRAM.
set -euo pipefail
# shellcheck disable=SC1090
. "$1"
program=$2

# expect "LINE" WORD…: the last word of LINE may become each of these
expect() {
  local line=$1 word; shift
  read -ra COMP_WORDS <<< "$line"
  [ "${line% }" = "$line" ] || COMP_WORDS+=("")
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  _espalier_cli "$program"
  for word in "$@"; do
    case " ${COMPREPLY[*]} " in
      *" $word "*) ;;
      *) echo "\"$line\" is not completed to $word but to: ${COMPREPLY[*]}"; exit 1 ;;
    esac
  done
}

expect 'espalier-cli ' inspect prune emit report
expect 'espalier-cli pr' predict profile prune
expect 'espalier-cli prune --to' --tolerance
expect 'espalier-cli emit --' --backend --output --json
expect 'espalier-cli configure --backend v' vitis vivado
expect 'espalier-cli estimate --part xcvu' xcvu13p
