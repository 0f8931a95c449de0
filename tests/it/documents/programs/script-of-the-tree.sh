# It is there, can be run, and knows the options it is given.
script="${0#./}"
[ -x "$READER_ROOT/$script" ]
for argument; do
  case "$argument" in
    -*) grep -rqF -- "$argument" "$READER_ROOT/$script" "$READER_ROOT/$(dirname "$script")" ;;
  esac
done
