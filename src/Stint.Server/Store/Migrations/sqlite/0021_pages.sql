-- What pages ask for all the time: what waits, who is connected, and what was held at a resource. Newest first, and page by page.
CREATE INDEX requests_state ON requests (state, seq);
CREATE INDEX sessions_state ON sessions (state, seq);
CREATE INDEX grants_resource ON grants (resource, seq);
