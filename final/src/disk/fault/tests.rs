use super::*;

fn write(store: &FaultStore, path: &str, bytes: &[u8], flush: bool) -> Result<()> {
    let path = Path::new(path);
    let mut file = store.create(path)?;
    file.write_all(bytes).map_err(Error::io("write", path))?;
    if flush { file.flush().map_err(Error::io("sync", path)) } else { Ok(()) }
}

#[test]
fn what_survives_is_what_was_synced() {
    let (store, dir) = (FaultStore::default(), Path::new("a/b"));
    store.create_dir(dir).unwrap();
    write(&store, "a/b/flushed", b"12", true).unwrap();
    write(&store, "a/b/written", b"34", false).unwrap();
    assert!(store.crash().list(dir).unwrap().is_empty(), "no entry is durable before the folder is synced");
    store.sync_dir(dir).unwrap();
    let found = store.crash();
    assert_eq!(found.read(&dir.join("flushed")).unwrap(), b"12");
    assert_eq!(found.read(&dir.join("written")).unwrap(), b"");

    store.rename(&dir.join("flushed"), &dir.join("renamed")).unwrap();
    store.remove(&dir.join("written")).unwrap();
    assert_eq!(store.list(dir).unwrap(), ["renamed"]);
    assert_eq!(store.crash().list(dir).unwrap(), ["flushed", "written"]);
    store.remove(Path::new("a")).unwrap();
    store.create_dir(dir).unwrap();
    assert!(store.crash().list(dir).unwrap().is_empty(), "a folder made again is a new one");
}

#[test]
fn what_was_not_synced_survives_in_every_way() {
    let store = FaultStore::default();
    write(&store, "file", &[7; 3 * PAGE], false).unwrap();
    store.sync_dir(Path::new("")).unwrap();
    let found: BTreeSet<_> =
        (0..100).map(|seed| store.crash_keeping(seed).read(Path::new("file")).unwrap()).collect();
    assert!(found.contains(&vec![]) && found.contains(&vec![7; 3 * PAGE]));
    assert!(found.iter().any(|bytes| bytes.len() % PAGE > 0), "a write can be cut anywhere");
    let torn = |bytes: &Vec<u8>| bytes.len() == 3 * PAGE && bytes[0] == 0 && bytes[2 * PAGE] == 7;
    assert!(found.iter().any(torn), "a later page can be there without an earlier one");
    let again = store.crash_keeping(5).read(Path::new("file")).unwrap();
    assert_eq!(store.crash_keeping(5).read(Path::new("file")).unwrap(), again);
}

#[test]
fn a_failed_fsync_is_not_made_up_for() {
    let store = FaultStore::default();
    let path = Path::new("file");
    let mut file = store.create(path).unwrap();
    store.sync_dir(Path::new("")).unwrap();
    store.fail_at(store.steps() + 1, Fault::Error);
    file.write_all(b"lost").unwrap();
    file.flush().unwrap_err();
    file.write_all(b"kept").unwrap();
    file.flush().unwrap();
    assert_eq!(store.read(path).unwrap(), b"lostkept");
    assert_eq!(store.crash().read(path).unwrap(), b"\0\0\0\0kept");

    store.fail_at(store.steps(), Fault::Crash);
    file.write_all(b"!").unwrap_err();
    assert!(store.read(path).is_err() && store.sync_dir(Path::new("")).is_err() && file.flush().is_err());
}

#[test]
fn a_crash_frees_locks() {
    let store = FaultStore::default();
    let held = store.lock(Path::new("LOCK")).unwrap();
    assert!(matches!(store.lock(Path::new("LOCK")), Err(Error::Conflict(_))));
    store.crash().lock(Path::new("LOCK")).unwrap();
    drop(held);
    store.lock(Path::new("LOCK")).unwrap();
}
