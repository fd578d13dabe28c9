-- What the members of a panel of judges said of a log: JSON; null where there is no panel.
ALTER TABLE evaluation_items ADD COLUMN votes TEXT;
