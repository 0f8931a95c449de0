case "$1" in
  run)
    shift
    while [ "$1" != -- ]; do
      case "$1" in --release | --locked) ;; *) exit 2 ;; esac
      shift
    done
    shift
    exec vitals "$@"
    ;;
  test)
    shift
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
      case "$1" in
        --release | --locked | --lib) ;;
        --test)
          grep -A 1 '^\[\[test\]\]' "$READER_ROOT/Cargo.toml" | grep -q "^name = \"$2\""
          shift
          ;;
        -*) exit 2 ;;
        # Part of the name of a test.
        *) grep -rqE "fn [a-z0-9_]*$1|^mod $1|^pub mod $1" "$READER_ROOT/tests/it" "$READER_ROOT/src" ;;
      esac
      shift
    done
    ;;
  build | check | fmt | clippy | doc) ;;
  *) exit 2 ;;
esac
