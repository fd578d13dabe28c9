-- Prices of an account's own: for a custom provider, or in place of a built-in one's public prices.
CREATE TABLE price_rules(
  seq INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts(id),
  id TEXT NOT NULL UNIQUE,
  custom_provider_id TEXT REFERENCES custom_providers(id) ON DELETE CASCADE,
  gateway_id TEXT,
  created_at INTEGER NOT NULL,
  document TEXT NOT NULL,
  FOREIGN KEY(account_id, gateway_id) REFERENCES gateways(account_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX price_rules_by_age ON price_rules(account_id, created_at);
CREATE INDEX price_rules_by_provider ON price_rules(custom_provider_id);
CREATE INDEX price_rules_by_gateway ON price_rules(account_id, gateway_id);
