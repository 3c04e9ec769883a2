#!/usr/bin/env bash
# Regenerates services/user/common_passwords.txt from the lists of zxcvbn (MIT) in Debian's python3-zxcvbn: the most frequently leaked passwords, and
# common words; and from the list of John the Ripper (public domain) in john-data, which contains passwords that zxcvbn covers by rules. All have at
# least eight characters and are in lowercase; sorted by bytes.
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
