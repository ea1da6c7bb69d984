//! What a session of the tool is set to, whatever the role or the database says.

/// The limits of a role are meant for the service, and would end an undo in the middle. A plan of the tool's that is compiled
/// takes ten times as long as one that is not.
pub(super) const SETTINGS: &str = "
    select set_config(s.name, v.value, false)
    from (values
      ('application_name', 'authz-pin'),
      ('default_transaction_isolation', 'read committed'),
      ('idle_in_transaction_session_timeout', '0'),
      ('idle_session_timeout', '0'),
      ('jit', 'off'),
      ('lock_timeout', '0'),
      ('standard_conforming_strings', 'on'),
      ('statement_timeout', '0'),
      ('transaction_timeout', '0')
    ) v (name, value) join pg_settings s on s.name = v.name";
