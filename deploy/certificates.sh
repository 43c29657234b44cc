#!/bin/sh
# Certificates for a Dask cluster: usage `sh deploy/certificates.sh FOLDER HOST...`
#
# Makes an authority (ca.pem, ca.key) in FOLDER, unless it is there, and for each HOST a key and a
# certificate that it has signed. Copy ca.pem, HOST.pem and HOST.key to HOST, readable by cnnkit's
# user alone. Keep ca.key elsewhere: who has it can join the cluster.
set -eu
folder=$1
shift
mkdir -p "$folder"
umask 077
if [ ! -e "$folder/ca.key" ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 3650 -subj "/CN=cnnkit cluster" \
    -keyout "$folder/ca.key" -out "$folder/ca.pem" 2>/dev/null
fi
for host in "$@"; do
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -subj "/CN=$host" \
    -keyout "$folder/$host.key" -out "$folder/$host.csr" 2>/dev/null
  printf 'subjectAltName=DNS:%s\n' "$host" > "$folder/$host.ext"
  openssl x509 -req -in "$folder/$host.csr" -CA "$folder/ca.pem" -CAkey "$folder/ca.key" \
    -CAcreateserial -days 825 -extfile "$folder/$host.ext" -out "$folder/$host.pem" 2>/dev/null
  rm "$folder/$host.csr" "$folder/$host.ext"
done
