"""SettingsFunction's routes about deliveries: their list, their stories, re-drives, suppressions and the audit."""
