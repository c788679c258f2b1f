#!/bin/sh
# precompress.sh DIRECTORY: puts FILE.gz (and FILE.br, where brotli is installed) beside the frontend's larger text files, for Apache,
# which would compress them at every request. lighttpd needs none of this: it keeps what it has compressed.
# Run it again after an update; what is newer than its file is left alone.
set -eu
[ $# -eq 1 ] && [ -f "$1/index.html" ] || { echo "usage: precompress.sh DIRECTORY (the one with index.html)" >&2; exit 2; }

find "$1" -type f -size +1k \( -name '*.js' -o -name '*.mjs' -o -name '*.css' -o -name '*.json' -o -name '*.svg' -o -name '*.wasm' -o -name '*.ttf' \) \
    ! -path '*/assets/emojis/*' | while IFS= read -r file; do
    if [ ! "$file.gz" -nt "$file" ]; then
        gzip -9 -n -c "$file" >"$file.gz.new"
        mv "$file.gz.new" "$file.gz"
    fi
    if command -v brotli >/dev/null && [ ! "$file.br" -nt "$file" ]; then
        brotli -q 9 -c "$file" >"$file.br.new"
        mv "$file.br.new" "$file.br"
    fi
done
