-- The shop of ./demo and of the end-to-end tests: customers, orders, somebody who owns the tables, and Stint's own
-- login with the least power that it needs. Run by psql as a superuser in the shop's database, with the variables
-- login and password (Stint's own) and owner (of the tables).
CREATE ROLE :"owner" NOLOGIN;
CREATE ROLE :"login" LOGIN CREATEROLE PASSWORD :'password';
GRANT pg_read_all_data, :"owner" TO :"login" WITH ADMIN OPTION;
GRANT pg_signal_backend TO :"login";

GRANT CREATE, USAGE ON SCHEMA public TO :"owner";
SET ROLE :"owner";

CREATE TABLE customers (
    id bigint PRIMARY KEY,
    name text NOT NULL,
    mail text NOT NULL UNIQUE
);

CREATE TABLE orders (
    id bigint PRIMARY KEY,
    customer bigint NOT NULL REFERENCES customers,
    placed timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('new', 'stuck', 'paid', 'sent')),
    cents bigint NOT NULL CHECK (cents > 0)
);

INSERT INTO customers
SELECT n, 'Customer ' || n, 'customer' || n || '@example.com'
FROM generate_series(1, 800) AS n;

INSERT INTO orders
SELECT n, 1 + n * 7919 % 800, timestamptz '2026-01-01' + n * interval '13 minutes',
    (ARRAY['sent', 'sent', 'paid', 'new', 'stuck'])[1 + n * 31 % 5], 500 + n * 37 % 20000
FROM generate_series(1, 6000) AS n;

UPDATE orders SET state = 'stuck' WHERE id = 4711;

-- What the support role of the catalog is granted, it is granted by Stint's login.
GRANT SELECT, UPDATE ON orders TO :"login" WITH GRANT OPTION;
RESET ROLE;
