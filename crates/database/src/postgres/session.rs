//! What a session of the tool is set to, whatever the role or the database says.

/// The limits of a role are meant for the service, and would end an undo in the middle. Rows have to be read as they were
/// written, and defaults as rows are, and functions of the tool to compile as they stand. A plan of the tool's that is compiled
/// takes ten times as long as one that is not.
pub(super) const SETTINGS: &str = "
    select set_config(s.name, v.value, false)
    from (values
      ('application_name', 'authz-pin'),
      ('array_nulls', 'on'),
      ('bytea_output', 'hex'),
      ('default_transaction_isolation', 'read committed'),
      ('extra_float_digits', '1'),
      ('idle_in_transaction_session_timeout', '0'),
      ('idle_session_timeout', '0'),
      ('IntervalStyle', 'postgres'),
      ('jit', 'off'),
      ('lc_monetary', 'C'),
      ('lock_timeout', '0'),
      ('standard_conforming_strings', 'on'),
      ('statement_timeout', '0'),
      ('transaction_timeout', '0'),
      ('transform_null_equals', 'off'),
      ('xmloption', 'content')
    ) v (name, value) join pg_settings s on s.name = v.name;
    set plpgsql.extra_errors = 'none'; set plpgsql.extra_warnings = 'none'";
