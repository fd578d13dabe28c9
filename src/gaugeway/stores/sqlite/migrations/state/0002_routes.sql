-- Dynamic routes. A route's document holds its deployed version and newest deployment, too.

CREATE TABLE routes(
  seq INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL,
  gateway_id TEXT NOT NULL,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  document TEXT NOT NULL,
  UNIQUE(account_id, gateway_id, name),
  FOREIGN KEY(account_id, gateway_id) REFERENCES gateways(account_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX routes_by_age ON routes(account_id, gateway_id, created_at);

CREATE TABLE route_versions(
  seq INTEGER PRIMARY KEY,
  route_id TEXT NOT NULL REFERENCES routes(id) ON DELETE CASCADE,
  id TEXT NOT NULL UNIQUE,
  document TEXT NOT NULL
) STRICT;
CREATE INDEX route_versions_of ON route_versions(route_id);

CREATE TABLE route_deployments(
  seq INTEGER PRIMARY KEY,
  route_id TEXT NOT NULL REFERENCES routes(id) ON DELETE CASCADE,
  id TEXT NOT NULL UNIQUE,
  document TEXT NOT NULL
) STRICT;
CREATE INDEX route_deployments_of ON route_deployments(route_id);
