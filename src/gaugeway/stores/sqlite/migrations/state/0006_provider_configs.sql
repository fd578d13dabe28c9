-- Provider keys that gateways keep. `sealed` is the key under the master key (stores/sealing.py), never in the clear.
CREATE TABLE provider_configs(
  seq INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL,
  gateway_id TEXT NOT NULL,
  id TEXT NOT NULL UNIQUE,
  provider_slug TEXT NOT NULL,  -- of a custom provider: as it was when the key was stored
  custom_provider_id TEXT REFERENCES custom_providers(id) ON DELETE CASCADE,
  alias TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  document TEXT NOT NULL,
  sealed BLOB NOT NULL,
  FOREIGN KEY(account_id, gateway_id) REFERENCES gateways(account_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX provider_configs_by_age ON provider_configs(account_id, gateway_id, created_at);
CREATE INDEX provider_configs_by_provider ON provider_configs(custom_provider_id);
CREATE UNIQUE INDEX provider_configs_by_alias
  ON provider_configs(account_id, gateway_id, COALESCE(custom_provider_id, provider_slug), alias);
