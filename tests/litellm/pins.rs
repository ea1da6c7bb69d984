//! One test per endpoint action: its record is its snapshot.

use authz_pin::snapshot::Snapshot;
use authz_pin::sweep::Options;

use crate::support::{Fixture, suite};

async fn pin(endpoint: &str) {
    let sweep = Fixture::new()
        .await
        .sweep(&suite(), endpoint, &Options::default())
        .await;
    let record = &sweep.records[endpoint];
    let suite = suite();
    let info = Snapshot::new(&suite.snapshots(), endpoint).info(sweep.cells);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots/litellm");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_info(&info.unwrap());
    let _guard = settings.bind_to_scope();
    insta::assert_snapshot!(endpoint, record.to_yaml().unwrap(), "record");
}

macro_rules! pins {
    ($($test:ident: $endpoint:literal,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                pin($endpoint).await;
            }
        )*

        #[test]
        fn every_endpoint_of_the_suite_has_a_test_of_its_own() {
            let endpoints: Vec<String> = suite().endpoints.into_iter().map(|endpoint| endpoint.name).collect();
            assert_eq!(endpoints, [$($endpoint),*]);
        }
    };
}

pins! {
    key_delete_is_as_pinned: "key-delete",
    key_delete_by_alias_is_as_pinned: "key-delete-by-alias",
    key_generate_is_as_pinned: "key-generate",
    key_generate_from_a_key_is_as_pinned: "key-generate-from-a-key",
    key_generate_soft_budget_is_as_pinned: "key-generate-soft-budget",
    key_info_is_as_pinned: "key-info",
    key_list_is_as_pinned: "key-list",
    key_regenerate_is_as_pinned: "key-regenerate",
    key_regenerate_above_bounds_is_as_pinned: "key-regenerate-above-bounds",
    key_regenerate_by_path_is_as_pinned: "key-regenerate-by-path",
    key_regenerate_fields_is_as_pinned: "key-regenerate-fields",
    key_regenerate_user_id_is_as_pinned: "key-regenerate-user-id",
    key_service_account_generate_is_as_pinned: "key-service-account-generate",
    key_update_above_bounds_is_as_pinned: "key-update-above-bounds",
    key_update_fields_is_as_pinned: "key-update-fields",
    key_update_max_budget_is_as_pinned: "key-update-max-budget",
    key_update_models_is_as_pinned: "key-update-models",
    key_update_organization_id_is_as_pinned: "key-update-organization-id",
    key_update_spend_is_as_pinned: "key-update-spend",
    key_update_team_id_is_as_pinned: "key-update-team-id",
    key_update_user_id_is_as_pinned: "key-update-user-id",
}
