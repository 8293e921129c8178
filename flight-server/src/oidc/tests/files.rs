//! Files that the policy names: who may have written them, and how long they may be.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::super::fetch::fetched;
use super::*;

#[tokio::test]
async fn a_file_that_others_can_write_gives_no_keys() {
    let folder = tempfile::tempdir().unwrap();
    let provider = provider(file(folder.path(), &[Signer::p256().key("p")]));
    let path = folder.path().join("keys.json");
    for mode in [0o664, 0o646, 0o666] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let reason = fetched(&provider).await.unwrap_err();
        let told =
            format!("others can write the file (mode {mode:04o}), and so give themselves rights; run `chmod go-w ");
        assert!(reason.contains(&told), "{reason}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(fetched(&provider).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_file_is_no_longer_than_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let provider = provider(file(folder.path(), &[Signer::p256().key("p")]));
    let path = folder.path().join("keys.json");
    let text = fs::read_to_string(&path).unwrap();
    let filled = |size: usize| format!("{text}{}", " ".repeat(size - text.len()));
    fs::write(&path, filled(1 << 20)).unwrap();
    assert_eq!(fetched(&provider).await.unwrap().len(), 1);
    fs::write(&path, filled((1 << 20) + 1)).unwrap();
    let reason = fetched(&provider).await.unwrap_err();
    assert!(reason.ends_with("it has more than 1048576 bytes"), "{reason}");
}

#[tokio::test]
async fn a_list_of_signers_that_others_can_write_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = crate::make_certificate(folder.path(), &["localhost".to_owned()]).unwrap();
    let served = Served::start(Some(&certificate)).await;
    served.put("/keys", 200, set(&[Signer::p256().key("p")]));
    let at = Source::Address(format!("https://localhost:{}/keys", served.address.port()));
    let provider = Provider { ca: Some(certificate.certificate.clone()), ..provider(at) };
    assert_eq!(fetched(&provider).await.unwrap().len(), 1);
    fs::set_permissions(&certificate.certificate, fs::Permissions::from_mode(0o662)).unwrap();
    let reason = fetched(&provider).await.unwrap_err();
    assert!(reason.contains("others can write the file (mode 0662)"), "{reason}");
}
