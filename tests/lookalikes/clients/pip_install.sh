#!/bin/sh
# pip: the tiny package out of the look-alike index, into a folder that is gone afterwards.
set -u
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
said=$(PIP_CONFIG_FILE=/dev/null PIP_FIND_LINKS='' PIP_EXTRA_INDEX_URL='' "${PYTHON:-python3}" -m pip install -q --no-cache-dir --disable-pip-version-check --no-deps --retries 0 \
  --timeout 15 --index-url "${1:-https://python.registry.example/simple/}" --target "$folder" tinylook 2>&1) || true
word=$(PYTHONPATH=$folder "${PYTHON:-python3}" -c 'import tinylook; print(tinylook.WORD)' 2>/dev/null) || word=
printf '{"client": "pip", "word": "%s", "said": "%s"}\n' "$word" "$(printf %s "$said" | tail -n 2 | tr '\n"\\' '   ')"
