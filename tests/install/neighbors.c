/*
 * neighbors ISSUER TOKEN: one process that uses libtorii, another Rust library and OpenSSL, each
 * before and after the others. Ends with 0 when all of them work.
 */

#include <stdio.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <torii.h>

int neighbor_works(int number);

/* Signs with a new P-256 key and verifies, so that names of the other crypto library would show. */
static int openssl_works(void)
{
    static const unsigned char text[] = "text";
    unsigned char signature[128];
    size_t length = sizeof signature;
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    EVP_MD_CTX *signing = EVP_MD_CTX_new(), *verifying = EVP_MD_CTX_new();
    int works = tls != NULL && key != NULL
                && EVP_DigestSignInit(signing, NULL, EVP_sha256(), NULL, key) == 1
                && EVP_DigestSign(signing, signature, &length, text, sizeof text) == 1
                && EVP_DigestVerifyInit(verifying, NULL, EVP_sha256(), NULL, key) == 1
                && EVP_DigestVerify(verifying, signature, length, text, sizeof text) == 1;

    signature[length - 1] ^= 1;
    works = works && EVP_DigestVerify(verifying, signature, length, text, sizeof text) != 1;
    ERR_clear_error();
    EVP_MD_CTX_free(verifying);
    EVP_MD_CTX_free(signing);
    EVP_PKEY_free(key);
    SSL_CTX_free(tls);
    return works;
}

/* Verifies the token, and the same with another signature. */
static int torii_works(const torii_verifier_t *verifier, const char *token)
{
    torii_auth_t *auth = NULL;
    char forged[4096];
    size_t length = strlen(token);
    char *signature;
    int works = torii_verify_token(verifier, token, length, &auth, NULL) == TORII_OK
                && torii_auth_user_id(auth, NULL) != NULL;

    torii_auth_free(auth);
    if (length >= sizeof forged)
        return 0;
    memcpy(forged, token, length + 1);
    signature = strrchr(forged, '.') + 1;
    *signature = *signature == 'A' ? 'B' : 'A';
    return works
           && torii_verify_token(verifier, forged, length, &auth, NULL)
                  == TORII_ERR_TOKEN_SIGNATURE;
}

int main(int argc, char **argv)
{
    torii_verifier_t *verifier = NULL;
    int works = 0;

    if (argc != 3
        || torii_verifier_new(argv[1], strlen(argv[1]), NULL, &verifier, NULL) != TORII_OK)
        return 2;
    for (int round = 0; round < 2; round++) {
        int torii = torii_works(verifier, argv[2]), neighbor = neighbor_works(7) == 10,
            openssl = openssl_works();

        printf("torii %d, neighbor %d, %s %d\n", torii, neighbor,
               OpenSSL_version(OPENSSL_VERSION), openssl);
        works += torii && neighbor && openssl;
    }
    torii_verifier_free(verifier);
    return works == 2 ? 0 : 1;
}
