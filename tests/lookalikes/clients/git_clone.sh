#!/bin/sh
# git over HTTPS: clone, commit, push. The token is the password; git asks without it first and is answered 401.
set -u
repository=${1:-https://github.com/acme/widgets}
branch=look-$$
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# What the caller's own git is told beside this (its CA, say) stays as it is.
export GIT_TERMINAL_PROMPT=0 GIT_AUTHOR_NAME=Look GIT_AUTHOR_EMAIL=look@github.example GIT_COMMITTER_NAME=Look GIT_COMMITTER_EMAIL=look@github.example
# shellcheck disable=SC2016 - git's own shell reads the token
login='!f() { echo username=x-access-token; echo "password=$GITHUB_TOKEN"; }; f'
ask() { git -c credential.helper= -c "credential.helper=$login" "$@"; }
tell() { printf '{"client": "git", "cloned": "%s", "pushed": "%s", "branch": "%s"}\n' "$1" "$2" "$branch"; exit 0; }

said=$(ask clone -q "$repository" "$folder/work" 2>&1) || tell "$(printf %s "$said" | tr '\n"' '  ')" no
cd "$folder/work" || exit 1
git checkout -q -b "$branch"
head -c "${PUSH_BYTES:-2000}" /dev/urandom > numbers.bin
git add numbers.bin
git commit -q -m 'Numbers'
said=$(ask push -q origin "$branch" 2>&1) || tell "$(cat README.md)" "$(printf %s "$said" | tr '\n"' '  ')"
tell "$(cat README.md)" yes
