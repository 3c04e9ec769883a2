#!/usr/bin/env bash
# Makes services/user/common_passwords.txt anew from the lists of zxcvbn (MIT), as Debian's python3-zxcvbn ships them: the passwords that leaked
# most often, and words that would be tried next; and from the list of John the Ripper (public domain), as john-data ships it, which has what zxcvbn
# leaves to rules. Each has at least eight characters, is in lowercase; sorted by bytes.
#   common-passwords.sh
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
(cd "$tmp" && apt-get download -qq python3-zxcvbn john-data && for deb in *.deb; do dpkg -x "$deb" .; done)
{
        grep -v '^#!comment' "$tmp/usr/share/john/password.lst"
        for list in passwords english_wikipedia; do
                sed -n "s/^ *\"$list\": *\"\(.*\)\".*/\1/p" "$tmp/usr/lib/python3/dist-packages/zxcvbn/frequency_lists.py" | sed 's/\\\(.\)/\1/g' | tr ',' '\n'
        done
} | tr '[:upper:]' '[:lower:]' | LC_ALL=C grep -E '^[!-~]{8,}$' | LC_ALL=C sort -u >services/user/common_passwords.txt
wc services/user/common_passwords.txt
