#!/bin/sh
# Writes .env beside docker-compose.yml with a fresh random secret for everything that needs one. Never touches one that is there.
set -eu

env="$(dirname "$0")/../.env"
if [ -e "$env" ]; then
  echo "$env is there already: its secrets stay. Remove it first to make new ones." >&2
  exit 1
fi

secret() {
  od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
}

umask 077
cat >"$env" <<END
# The secrets of this installation, read by docker-compose.yml. Whoever has them has everything: keep them out of version control.
POSTGRES_ADMIN_PASSWORD=$(secret)
POSTGRES_OWNER_PASSWORD=$(secret)
POSTGRES_PASSWORD=$(secret)
REDIS_PASSWORD=$(secret)
# What the instances know each other's messages in Redis by.
BUS_HMAC_KEY=$(secret)

# Your app signs the tokens of its users with this one (HS256). Where it has public keys instead, leave this empty, name them in
# JWT_KEYS (a URL, https://…/jwks.json), and give GUEST_SECRET a random value if there are to be guests.
JWT_SECRET=$(secret)
# Opens the admin REST: Authorization: Bearer <it>.
ADMIN_KEY=$(secret)

# on: whoever knows the address may enter under any nickname, as the chat page does. Turn it off when your app signs tokens.
GUESTS=on

# Where the balancer can be reached. 127.0.0.1 is this machine alone; 0.0.0.0 is everywhere, so put TLS before it.
PUBLISH_ADDRESS=127.0.0.1
PUBLISH_PORT=8080
END
echo "Made $env"
