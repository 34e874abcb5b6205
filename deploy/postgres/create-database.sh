#!/bin/sh
# Run once by the Postgres image, when its volume is empty: Parley gets a database, a role that owns it, and one that serves from it
# and may change nothing but rows.
set -eu

psql --set=ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'END'
\getenv owner_password OWNER_PASSWORD
\getenv serving_password SERVING_PASSWORD
create role parley_owner login password :'owner_password';
create role parley login password :'serving_password';
create database parley owner parley_owner;
revoke connect, temporary on database parley from public;
grant connect on database parley to parley;
END
