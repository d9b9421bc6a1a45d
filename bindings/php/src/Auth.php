<?php

declare(strict_types=1);

namespace Torii;

/**
 * The user a token was issued to, as the issuer signed it: a plain value. Tests can make one by
 * themselves.
 */
final readonly class Auth
{
    /**
     * @param string $userId the user: `sub`
     * @param string $environmentId the environment the user belongs to: `pid`
     * @param string $issuer the configured issuer, without trailing slashes
     * @param ?string $locale the locale the user prefers
     * @param bool $emailVerified whether the user has a verified email address
     * @param bool $profileComplete whether all required profile fields are set
     * @param bool $impersonating whether somebody else is acting as the user
     * @param int $issuedAt `iat`, in Unix seconds
     * @param int $expiresAt `exp`, in Unix seconds
     * @param string $claimsJson the payload of the token, exactly as it was signed
     */
    public function __construct(
        public string $userId,
        public string $environmentId,
        public string $issuer,
        public ?string $locale = null,
        public bool $emailVerified = false,
        public bool $profileComplete = true,
        public bool $impersonating = false,
        public int $issuedAt = 0,
        public int $expiresAt = 0,
        public string $claimsJson = '{}',
    ) {
    }

    /** @return array<string, mixed> all claims */
    public function claims(): array
    {
        return json_decode($this->claimsJson, true, flags: JSON_THROW_ON_ERROR);
    }
}
