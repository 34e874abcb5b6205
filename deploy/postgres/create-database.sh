#!/bin/sh
# Run once by the Postgres image, when its volume is empty: Parley gets a role that owns its database and nothing else.
set -eu

psql --set=ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'END'
\getenv password PARLEY_PASSWORD
create role parley login password :'password';
create database parley owner parley;
revoke connect on database parley from public;
END
