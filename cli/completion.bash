# SPDX-License-Identifier: GPL-3.0-or-later
# Completion of espalier-cli in bash: verbs and options as the program itself lists them, files for everything else.

_espalier_cli() {
  local program=$1 word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words
  COMPREPLY=()
  if [ "$COMP_CWORD" = 1 ]; then
    words=$("$program" --help 2> /dev/null | sed -n 's/^  \([a-z]*\) .*/\1/p')
  elif [ "${word#-}" != "$word" ]; then
    words=$("$program" "${COMP_WORDS[1]}" --help 2> /dev/null | sed -n 's/^ .* \(--[a-z-]*\)[= ].*/\1/p')
  else
    case $before in
      --backend) words='vitis vivado oneapi quartus catapult' ;;
      --io | --io-type) words='io_parallel io_stream' ;;
      --strategy) words='Latency Resource ResourceUnrolled DistributedArithmetic Compressed' ;;
      --granularity) words='model type name' ;;
      --structure) words='auto unstructured neuron multiplier bram-word block' ;;
      --importance) words='l1 l2 first-order second-order random' ;;
      --part) words=$("$program" parts 2> /dev/null | sed -n '2,$s/ .*//p') ;;
      *) compopt -o default 2> /dev/null; return ;;
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -F _espalier_cli espalier-cli
