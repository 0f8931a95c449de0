# The body alone, and a failure where the answer is one.
arguments=()
for argument; do
  [ "$argument" = -i ] || arguments+=("${argument/http:\/\/127.0.0.1:8080/$READER_SERVICE}")
done
PATH="$READER_PATH" exec curl -fsS "${arguments[@]}"
