// Webhooks as a sender signs them, with OpenSSL instead of libtorii.
#ifndef SIGNED_HPP
#define SIGNED_HPP

#include "check.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <ctime>

inline const std::string webhook_secret = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY",
                         other_secret = "whsec_ZWZnaGlqa2xtbm9wcXJzdHV2d3h5ent8fX5/gIGCg4Q=";

/// Returns the headers of a webhook signed with webhook_secret (Standard Webhooks 1.0.0).
inline std::vector<std::pair<std::string, std::string>>
sign_webhook(const std::string &id, const std::string &body, std::time_t sent = std::time(nullptr))
{
    // The secret without whsec_, decoded.
    const std::string key = "\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\21\22\23\24\25\26\27\30";
    const std::string timestamp = std::to_string(sent), text = id + "." + timestamp + "." + body;
    unsigned char mac[32], base64[45];
    const auto bytes = reinterpret_cast<const unsigned char *>(text.data());
    CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes, text.size(), mac,
               nullptr));
    EVP_EncodeBlock(base64, mac, sizeof mac);
    return {{"Webhook-Id", id},
            {"Webhook-Timestamp", timestamp},
            {"Webhook-Signature", "v1," + std::string(reinterpret_cast<char *>(base64))}};
}

#endif
