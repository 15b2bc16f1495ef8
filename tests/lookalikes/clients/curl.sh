#!/bin/sh
# curl: a POST with a key that waits for 100 Continue, and an event stream as it comes.
set -u
url=${1:-https://echo.example/continue}
said=$(curl -sS -m 15 --compressed -H "Authorization: Bearer ${TOKEN:-none}" -H 'Expect: 100-continue' --data 'rows=3' "$url" 2>&1) || said=\"$said\"
events=$(curl -sSN -m 15 -H "Authorization: Bearer ${TOKEN:-none}" 'https://echo.example/events?count=3' 2>&1 | grep -c '^data: ')
printf '{"client": "curl", "events": %s, "posted": %s}\n' "$events" "$said"
