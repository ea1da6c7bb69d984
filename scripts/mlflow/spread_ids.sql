-- Lets each table count from a large number of its own. MLflow's ids are small numbers, which stand in other places by
-- chance; these say whose they are.
DO $$
DECLARE
  one record;
BEGIN
  FOR one IN
    SELECT sequencename AS name, row_number() OVER (ORDER BY sequencename) AS at
    FROM pg_sequences WHERE schemaname = 'public'
  LOOP
    EXECUTE format('ALTER SEQUENCE public.%I RESTART WITH %s', one.name, 1100000000 + one.at * 10000000);
  END LOOP;
END
$$;
