//! What goes in: claims. What comes out: tokens that an issuer of the test has signed, and its keys as JSON.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    RsaPublicKeyComponents,
};
use serde_json::{Value, json};

/// A key that signs nothing but the tokens of this test.
const RSA: &str = "MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQCiK/hwcw2g1upFDKssrft/FXQsXv1yiRdqAYW+5X9CMUgx\
    xVYA/qgiUyBL2L41Vpnd4mzIAohzMTrNDFdy2FabJ4VH17zutIahSjabv5PMvhz0GqSD36aNISsWfAdC+OnSPMNOR5Lzvxg/\
    zUhdCJ309PnCLVHT1x0Wg0qxTcDHMtemROCvsvV2GVhS5sZzxZEBRQDtxVC6XrYZqkSKKqvxbYghUK/6m5a/bB7yjKwYsOaS\
    9M97NwDZyNfLHfw0TiSqsHMA4cOfntzyeDU3CQF0uvExts4lFvFFEZUavzvZ5dGw7Slv+9lnLUSO0FKs0MOFQYJFEsHer85j\
    Z/NYCVqPAgMBAAECggEADCfQLef50AhiTYp3Db8wWDGGYGMLi6yJ7divKtFh7T2FBBhrnpR38gBM4R9RMCDnIWU85e45394c\
    4n/rBOea8KZ3Zel36f6FdUAUtGGzCHtn75LlqbrRIMf1+YmSmisB8ulTpe6IepVKxVGArvSCS0YBFVRqfnHwmYTkZUJtawc4\
    H0ONiNpCoad1GJlehpYMG83ssLl/fcxY/dCDivUS1kd1SqxKGk5amigWWYV8t3pDAEd9GLCgZeWhxqpX8Nx0dTug9RXN7GrT\
    MJ8gHlGWhIjBtvkvnU8/1BeGI+FOOyUpIRMVJdLXb5YN1Lc+Mb2le13dcj+uiQxgs70dKmUWmQKBgQDOQMYWi88trIdgw+Mp\
    wxkJzDZhme7F+5xasUsCqPrbkvzYt0JnYqOfc/+INbYRfCT/ezQwAci80ZPoK0LuAKx/X/vygCbOZa1A/2uomXwsg/A+aaFJ\
    UTP4ip7b4zzZ36IevA7DvNH8xUL+td4UWbpVQ+WBk1uLEBEUrj9cI8MRBwKBgQDJSV7gAcldV/efk6Nwf+2GbZVia1DpA7br\
    JpaVeN0r9j0CqjbkYjnCdKL0MtaaGkXYy7abnneNmFZOW4h5pSGDBFtjLB1ao6OYEdepbVAgnpf1IbRg+91+D17ZybUwK2Xl\
    zBQULW8jou/lIr287RfQ1BLezxSbys35gT3eXDzwOQKBgFe/gwcQkCIUZrwqWrjnwf1DHlfDz6v3cfu7tff5wFAuZtgkj2HA\
    u3AZP7vJbh5ePLdcyUUrXSXH3C9ISH9NVhYS1fPDxb7Fz0H56Omf8w5VS56h/fZdT8kL4K4YLUlcNXLx+y4XZRcvLWOEKGls\
    CzQ/YKMR+D5fpYSw5U/j/xd9AoGAPK8ACWzAdoHEx7lM9ue6hmKXPNq5w+Y4yWAS2fFcTJqp/hmu/t+WJkffsNt6027ES/3u\
    ibAWvvuEWY9C79mW5tbzbkyodOEMuxX1/MBV/d+SVHba2LpWJmEf6WzkUSdkSwlhrEueTBIdXOlCZqjcGzs0jTPFNMrJmkUa\
    j+UjAhECgYBAhXFiF5Mj4e0/oape+SpGTOIJBqDF+MPVxFp13Q218OWVK1mg/zBZtrn0Qxi3RrlmKVSsMKMUbPNPBg5QaS5S\
    XwcjfmEbpe5FlWp2TwMtosH+dRUrXnRi9HZJGWxnxwWcLhfa/Ar/QTsvbazcLXAoZW5SRKes5O3sCVeIqZ2PyA==";

pub(super) enum Signer {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Signer {
    pub(super) fn rsa() -> Self {
        Self::Rsa(RsaKeyPair::from_pkcs8(&STANDARD.decode(RSA).unwrap()).unwrap())
    }

    pub(super) fn p256() -> Self {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random);
        Self::P256(pair.unwrap())
    }

    pub(super) fn ed25519() -> Self {
        let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::Ed25519(Ed25519KeyPair::from_pkcs8(made.as_ref()).unwrap())
    }

    pub(super) fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::P256(_) => "ES256",
            Self::Ed25519(_) => "EdDSA",
        }
    }

    pub(super) fn key(&self, kid: &str) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Rsa(pair) => {
                let parts = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({"kty": "RSA", "kid": kid, "use": "sig", "alg": "RS256", "n": text(&parts.n), "e": text(&parts.e)})
            }
            Self::P256(pair) => {
                let point = pair.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "kid": kid, "x": text(&point[1..33]), "y": text(&point[33..])})
            }
            Self::Ed25519(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": text(pair.public_key().as_ref())})
            }
        }
    }

    /// A token with this header and these claims, whatever they say.
    pub(super) fn signed(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let content = format!("{}.{}", part(header), part(claims));
        let signature = match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), content.as_bytes(), &mut signature).unwrap();
                signature
            }
            Self::P256(pair) => pair.sign(&SystemRandom::new(), content.as_bytes()).unwrap().as_ref().to_vec(),
            Self::Ed25519(pair) => pair.sign(content.as_bytes()).as_ref().to_vec(),
        };
        format!("{content}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    pub(super) fn token(&self, kid: &str, claims: &Value) -> String {
        self.signed(&json!({"alg": self.algorithm(), "typ": "JWT", "kid": kid}), claims)
    }
}
