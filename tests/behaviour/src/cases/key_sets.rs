//! The content of key sets: which keys are used, which are skipped, and which sets are refused as a whole.

use super::{KEY_UNKNOWN, SIGNATURE, beside_a_usable_key, nested, odd};
use crate::Corpus;
use crate::draft::{base64url, draft};
use crate::es256::{self, number, padded, prime};
use crate::keys::{self, jwks};
use crate::object::{Object, quoted};
use aws_lc_rs::agreement::{ECDH_P384, PrivateKey};

pub fn add(corpus: &mut Corpus) {
    fitting(corpus);
    purpose(corpus);
    type_and_curve(corpus);
    coordinates(corpus);
    names(corpus);
    not_objects(corpus);
    duplicates(corpus);
    documents(corpus);
    refused_documents(corpus);
}

/// A usable key: the token it signed is accepted.
fn use_key(corpus: &mut Corpus, name: &str, about: &str, key: &Object) {
    let set = format!("key-{name}");
    corpus.keys(&set, about, beside_a_usable_key(key), 2, 0);
    let case = draft(&set, about).minted_with(&odd()).key_set(&set);
    corpus.cases.push(case.accepted());
}

/// An unusable key: it is unknown, and the usable key next to it stays in use.
fn skip_key(corpus: &mut Corpus, name: &str, about: &str, key: &Object) {
    let set = format!("key-{name}");
    corpus.keys(&set, about, beside_a_usable_key(key), 1, 1);
    let case = draft(&set, about).minted_with(&odd()).key_set(&set);
    corpus.cases.push(case.refused(KEY_UNKNOWN));
}

fn fitting(corpus: &mut Corpus) {
    let key = odd().jwk();
    let bare = key.clone().without("alg").without("use");
    for (name, about, key) in [
        ("bare", "Only what a key must have.", bare),
        ("without-use", "`use` may be absent.", key.clone().without("use")),
        ("verify", "`key_ops` may be there if it allows to verify.", key.clone().with("key_ops", r#"["verify"]"#)),
        ("sign-and-verify", "`key_ops` may allow more.", key.clone().with("key_ops", r#"["sign","verify"]"#)),
        (
            "unknown-members",
            "Unknown members may hold any JSON.",
            key.clone().with("exp", "1").with("x5c", "[]").with("x5u", r#""http://127.0.0.1/""#).with("ext", r#"{"a":[null,1e400]}"#),
        ),
        ("escaped", "Escapes spell the same strings.", key.with("kty", r#""\u0045C""#).with("kid", r#""\u006fdd""#)),
    ] {
        use_key(corpus, name, about, &key);
    }
    corpus
        .cases
        .push(draft("key-beside-a-skipped-one", "One key that does not fit takes nothing away from the others.").key_set("key-rsa").accepted());
}

fn purpose(corpus: &mut Corpus) {
    let private = quoted(&base64url(padded(&odd().private)));
    for (name, about, member, value) in [
        ("alg-es384", "`alg` absent or ES256 (CVE-2026-48523: the key widens the list).", "alg", r#""ES384""#),
        ("alg-rs256", "`alg` absent or ES256.", "alg", r#""RS256""#),
        ("alg-hs256", "`alg` absent or ES256.", "alg", r#""HS256""#),
        ("alg-none", "`alg` absent or ES256.", "alg", r#""none""#),
        ("alg-lower-case", "`alg` absent or ES256.", "alg", r#""es256""#),
        ("alg-null", "`null` is not absent.", "alg", "null"),
        ("use-enc", "`use` absent or `sig`: a key for encryption verifies nothing.", "use", r#""enc""#),
        ("use-upper-case", "`use` absent or `sig`.", "use", r#""SIG""#),
        ("use-null", "`null` is not absent.", "use", "null"),
        ("key-ops-sign", "`key_ops` absent or with `verify`.", "key_ops", r#"["sign"]"#),
        ("key-ops-derive", "`key_ops` absent or with `verify`.", "key_ops", r#"["deriveKey","deriveBits"]"#),
        ("key-ops-empty", "`key_ops` absent or with `verify`.", "key_ops", "[]"),
        ("key-ops-string", "`key_ops` is a list.", "key_ops", r#""verify""#),
        ("key-ops-null", "`null` is not absent.", "key_ops", "null"),
        ("private", "A published private key protects nothing.", "d", &private),
        ("private-null", "A member for a private key, regardless of its value.", "d", "null"),
    ] {
        skip_key(corpus, name, about, &odd().jwk().with(member, value));
    }
}

fn type_and_curve(corpus: &mut Corpus) {
    let rsa = Object::new(&[
        ("kty", r#""RSA""#),
        ("alg", r#""RS256""#),
        ("use", r#""sig""#),
        ("kid", r#""odd""#),
        ("n", &quoted(&base64url([0xc5; 256]))),
        ("e", r#""AQAB""#),
    ]);
    let oct = Object::new(&[("kty", r#""oct""#), ("kid", r#""odd""#), ("k", &quoted(&base64url([7; 32])))]);
    let okp =
        Object::new(&[("kty", r#""OKP""#), ("crv", r#""Ed25519""#), ("kid", r#""odd""#), ("x", r#""11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#)]);
    let akp = Object::new(&[("kty", r#""AKP""#), ("alg", r#""ML-DSA-44""#), ("kid", r#""odd""#), ("pub", &quoted(&base64url([9; 1312])))]);
    let key = odd().jwk();
    for (name, about, key) in [
        ("rsa", "Only elliptic curves.", rsa),
        ("oct", "Only elliptic curves: a secret in public is none.", oct),
        ("okp", "Only P-256.", okp),
        ("unknown-type", "A kind of key that is yet to come.", akp),
        ("kty-missing", "`kty` is required.", key.clone().without("kty")),
        ("kty-lower-case", "Names are compared byte by byte.", key.clone().with("kty", r#""ec""#)),
        ("kty-oct-with-a-point", "The kind counts, not what else is there.", key.clone().with("kty", r#""oct""#)),
        ("p-384", "Only P-256.", p384()),
        ("crv-p-384", "A point of P-256 that says P-384.", key.clone().with("crv", r#""P-384""#)),
        ("crv-secp256k1", "Another curve with numbers of the same size.", key.clone().with("crv", r#""secp256k1""#)),
        ("crv-lower-case", "Names are compared byte by byte.", key.clone().with("crv", r#""p-256""#)),
        ("crv-missing", "`crv` is required.", key.clone().without("crv")),
        ("empty-object", "Nothing in it.", Object::new(&[])),
    ] {
        skip_key(corpus, name, about, &key);
    }
}

/// A sound key of the wrong curve.
fn p384() -> Object {
    let private = PrivateKey::from_private_key(&ECDH_P384, &[0x42; 48]).expect("in range");
    let point = private.compute_public_key().expect("a private key has one");
    let (x, y) = point.as_ref()[1..].split_at(48);
    Object::new(&[("kty", r#""EC""#), ("crv", r#""P-384""#), ("kid", r#""odd""#), ("x", &quoted(&base64url(x))), ("y", &quoted(&base64url(y)))])
}

fn coordinates(corpus: &mut Corpus) {
    let (x, y) = es256::public(&odd().private);
    let with = |x: &[u8], y: &[u8]| {
        let key = odd().jwk();
        key.with("x", quoted(&base64url(x))).with("y", quoted(&base64url(y)))
    };
    let mut off_curve = y;
    off_curve[31] ^= 1;
    // The point whose x is 0; its x may also be spelled as p, by those who do not look.
    let root = number("66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4");
    for (name, about, key) in [
        ("x-31-bytes", "32 bytes, not fewer.", with(&x[1..], &y)),
        ("x-33-bytes", "32 bytes, not more, be they zero.", with(&[&[0], x.as_slice()].concat(), &y)),
        ("x-empty", "32 bytes.", with(&[], &y)),
        ("y-31-bytes", "32 bytes, not fewer.", with(&x, &y[1..])),
        ("y-33-bytes", "32 bytes, not more, be they zero.", with(&x, &[&[0], y.as_slice()].concat())),
        ("off-curve", "The point must be on the curve.", with(&x, &off_curve)),
        ("swapped", "y before x is another point, and not on the curve.", with(&y, &x)),
        ("zeros", "The point at infinity has no coordinates, these least of all.", with(&[0; 32], &[0; 32])),
        ("x-prime", "A coordinate is less than p: this is 0 spelled as p.", with(&padded(&prime()), &padded(&root))),
        ("x-missing", "Required.", odd().jwk().without("x")),
        ("y-missing", "Required.", odd().jwk().without("y")),
        ("x-number", "A string.", odd().jwk().with("x", "1")),
        ("y-null", "A string.", odd().jwk().with("y", "null")),
    ] {
        skip_key(corpus, name, about, &key);
    }
    let zero = beside_a_usable_key(&with(&[0; 32], &padded(&root)));
    let about = "A coordinate may be 0, although the private key to it is unknown.";
    corpus.keys("key-x-zero", about, zero, 2, 0);
    let case = draft("key-x-zero", about).minted_with(&odd()).key_set("key-x-zero");
    corpus.cases.push(case.refused(SIGNATURE));
    spelling(corpus, &base64url(x));
}

/// Spellings of x that a careless decoder takes for the same bytes.
fn spelling(corpus: &mut Corpus, x: &str) {
    let standard = x.replace('-', "+").replace('_', "/");
    assert_ne!(x, standard, "x shows the difference between the alphabets");
    for (name, about, spelled) in [
        ("x-padded", "Padding.", format!("{x}=")),
        ("x-standard-base64", "The alphabet of ordinary base64.", standard),
        ("x-loose", "Unused bits of the last character that are not zero.", super::shape::loose(x)),
        ("x-blank", "A blank at the end.", format!("{x} ")),
        ("x-newline", "A line feed in the middle.", format!("{}\n{}", &x[..20], &x[20..])),
        ("x-hexadecimal", "Not base64url but its like.", es256::public(&odd().private).0.map(|byte| format!("{byte:02x}")).concat()),
    ] {
        skip_key(corpus, name, about, &odd().jwk().with("x", quoted(&spelled)));
    }
}

fn names(corpus: &mut Corpus) {
    skip_key(corpus, "kid-missing", "A key without a name can never be named.", &odd().jwk().without("kid"));
    for (name, about, kid) in [
        ("number", "A string.", "7".to_owned()),
        ("null", "A string.", "null".to_owned()),
        ("empty", "Not empty.", quoted("")),
        ("257-bytes", "256 bytes at most.", quoted(&"k".repeat(257))),
    ] {
        skip_key(corpus, &format!("kid-{name}"), about, &odd().jwk().with("kid", kid));
    }
}

fn not_objects(corpus: &mut Corpus) {
    for (name, entry) in [("null", "null"), ("number", "1"), ("string", r#""odd""#), ("list", "[]")] {
        let set = format!("{{\"keys\":[{entry},{}]}}", keys::first().jwk().json());
        let set_name = format!("entry-{name}");
        corpus.keys(&set_name, "An entry that is not an object is an unusable key.", set, 1, 1);
        let case = draft(&set_name, "The usable key next to it stays in use.").key_set(&set_name);
        corpus.cases.push(case.accepted());
    }
}

fn duplicates(corpus: &mut Corpus) {
    let (first, odd) = (keys::first().jwk(), odd().jwk());
    let same_name = keys::attackers().named("odd").jwk();
    let escaped = same_name.clone().with("kid", r#""\u006fdd""#);
    let encryption = same_name.clone().with("use", r#""enc""#);
    for (name, about, entries) in [
        ("two", "Two keys of one name: neither can be meant.", vec![&first, &odd, &same_name]),
        ("identical", "One key twice is two of one name.", vec![&first, &odd, &odd]),
        ("escaped", "Two keys of one name, once spelled with an escape.", vec![&first, &odd, &escaped]),
        ("three", "Three keys of one name: none of them is used.", vec![&odd, &same_name, &first, &odd]),
    ] {
        let set = format!("same-kid-{name}");
        let count = entries.len();
        corpus.keys(&set, about, jwks(entries), 1, count - 1);
        corpus.cases.extend([
            draft(&set, about).minted_with(&super::odd()).key_set(&set).refused(KEY_UNKNOWN),
            draft(&format!("{set}-others"), "Keys of other names stay.").key_set(&set).accepted(),
        ]);
    }
    corpus.keys("same-kid-one-fits", "Two keys of one name of which one fits: no doubt which is meant.", jwks([&first, &encryption, &odd]), 2, 1);
    corpus.cases.push(draft("same-kid-one-fits", "The key that fits is the one.").minted_with(&super::odd()).key_set("same-kid-one-fits").accepted());
}

fn documents(corpus: &mut Corpus) {
    const LIMIT: usize = 262_144;
    let key = keys::first().jwk();
    let set = jwks([&key]);
    let many = |count: usize| format!("{{\"keys\":[{}{}]}}", "{},".repeat(count - 1), key.json());
    for (name, about, text, usable, skipped) in [
        ("extra-members", "Unknown members of the set.", set.replacen('{', r#"{"issuer":"x","next":{"keys":[]},"#, 1), 1, 0),
        ("pretty", "Whitespace, in front and at the end too.", format!("\n{}\r\n", set.replace(',', ",\n\t")), 1, 0),
        ("64-keys", "The most keys, whether or not they fit.", many(64), 1, 63),
        ("262144-bytes", "The longest answer.", set.clone() + &" ".repeat(LIMIT - set.len()), 1, 0),
    ] {
        corpus.keys(&format!("set-{name}"), about, text, usable, skipped);
        let case = draft(&format!("set-{name}"), about).key_set(&format!("set-{name}"));
        corpus.cases.push(case.accepted());
    }
    for (name, about, text) in [
        ("65-keys", "One key too many, whether or not they fit.", many(65)),
        ("262145-bytes", "One byte too long.", set.clone() + &" ".repeat(LIMIT + 1 - set.len())),
    ] {
        corpus.keys(&format!("refused-{name}"), about, text, 0, 0);
    }
}

fn refused_documents(corpus: &mut Corpus) {
    let key = keys::first().jwk();
    let set = jwks([&key]);
    for (name, about, text, skipped) in [
        ("nothing", "An empty answer.", String::new(), 0),
        ("html", "An error page under status 200.", "<!doctype html><title>Login</title>".to_owned(), 0),
        ("pem", "A key in another format.", "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n".to_owned(), 0),
        ("truncated", "Half an answer.", set[..set.len() / 2].to_owned(), 0),
        ("trailing-garbage", "Something after the object.", format!("{set}x"), 0),
        ("two-sets", "Two sets, one after the other.", format!("{set}{set}"), 0),
        ("byte-order-mark", "A byte order mark before the object.", format!("\u{feff}{set}"), 0),
        ("lone-surrogate", "An escaped surrogate without its other half.", jwks([&key.clone().with("x5t", r#""\ud800""#)]), 0),
        ("null", "JSON, but no object.", "null".to_owned(), 0),
        ("array", "A list of keys without the object around it.", format!("[{}]", key.json()), 0),
        ("string", "JSON, but no object.", quoted(&set), 0),
        ("lone-key", "A key without the set around it.", key.json(), 0),
        ("keys-missing", "No `keys`.", "{}".to_owned(), 0),
        ("keys-capital", "`Keys` is not `keys`.", set.replace("\"keys\"", "\"Keys\""), 0),
        ("keys-null", "`keys` is a list.", r#"{"keys":null}"#.to_owned(), 0),
        ("keys-string", "`keys` is a list.", r#"{"keys":"none"}"#.to_owned(), 0),
        ("keys-object", "`keys` is a list, not a map by name.", format!(r#"{{"keys":{{"key-1":{}}}}}"#, key.json()), 0),
        ("no-keys", "An empty list is refused.", r#"{"keys":[]}"#.to_owned(), 0),
        (
            "no-usable-key",
            "A set with only unusable keys is refused.",
            jwks([&key.clone().with("use", r#""enc""#), &key.clone().with("kty", r#""RSA""#)]),
            2,
        ),
        ("only-one-name", "Nothing but two keys of one name.", jwks([&key, &key]), 2),
        ("duplicate-keys-member", "`keys` twice: whose keys are they?", set.replacen('{', r#"{"keys":[],"#, 1), 0),
        (
            "duplicate-member-in-key",
            "A member of a key twice: parsers disagree about its value.",
            jwks([&keys::second().jwk(), &key.clone().and("x", r#""AAAA""#)]),
            0,
        ),
        (
            "duplicate-member-escaped",
            "A member of a key twice, once spelled with an escape.",
            jwks([&keys::second().jwk(), &key.clone().and(r"k\u0069d", r#""key-9""#)]),
            0,
        ),
        ("duplicate-member-ignored", "A member twice in an ignored member.", set.replacen('{', r#"{"meta":{"a":1,"a":2},"#, 1), 0),
        ("depth-33", "Thirty-three levels, in an ignored member.", set.replacen('{', &format!(r#"{{"meta":{},"#, nested(32)), 1), 0),
    ] {
        corpus.keys(&format!("refused-{name}"), about, text, 0, skipped);
    }
}
