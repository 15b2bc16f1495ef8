#!/bin/sh
# npm: the tiny package out of the look-alike registry, into a folder that is gone afterwards.
set -u
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
said=$(npm install --silent --no-audit --no-fund --no-update-notifier --fetch-retries=0 --fetch-timeout=15000 --cache "$folder/cache" \
  --registry "${1:-https://node.registry.example/}" tinylook 2>&1) || said=${said:-"npm failed"}
word=$(node -e 'console.log(require("tinylook"))' 2>/dev/null) || word=
printf '{"client": "npm", "word": "%s", "said": "%s"}\n' "$word" "$(printf %s "$said" | tail -n 2 | tr '\n"\\' '   ')"
