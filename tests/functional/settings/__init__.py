"""SettingsFunction with tables and secrets in memory."""
