<?php

declare(strict_types=1);

namespace Torii\Testing;

use Torii\Client;
use Torii\Verifier;

/** An environment of the local torii: an issuer with its keys, users and a secret key. */
class Environment
{
    /** @internal */
    protected function __construct(
        private readonly LocalTorii $torii,
        public readonly string $name,
        public readonly string $id,
        public readonly string $issuer,
        #[\SensitiveParameter] public readonly string $secretKey,
    ) {
    }

    /**
     * Returns a signed token, valid for 300 seconds and by default of a new user.
     *
     * @param array<string, mixed> $claims
     * @param mixed ...$request members of a token request of the control API, such as `expires_in: -60`,
     *     `without: ['pid']` or `signer: 'forged'`
     */
    public function token(array $claims = [], mixed ...$request): string
    {
        return $this->ask('POST', '/tokens', ['claims' => (object) $claims, ...$request])['token'];
    }

    /**
     * Signs in a user of this environment, whom client() creates.
     *
     * @param mixed ...$options members of a session, such as `active_organization_id: '…'`
     */
    public function signIn(string $userId, mixed ...$options): Session
    {
        $answer = $this->ask('POST', '/sessions', ['user_id' => $userId, ...$options]);
        return new Session($answer['session']['id'], $answer['token']);
    }

    /** Answers key fetches with this HTTP status until clearFaults(). Drops the keys that this process has. */
    public function failKeys(int $status = 503): void
    {
        $this->torii->fault("/$this->name/", ['kind' => 'status', 'status' => $status]);
        Verifier::clearKeys();
    }

    /**
     * Signs with a new key, and publishes it. The earlier keys stay published.
     *
     * @return string the `kid` of the new key
     */
    public function rotateKeys(): string
    {
        return $this->ask('POST', '/keys', [])['kid'];
    }

    /** Removes a key from the published ones. */
    public function removeKey(string $kid): void
    {
        $this->ask('DELETE', '/keys/' . rawurlencode($kid));
    }

    /** Creates a verifier of its tokens, with options of Verifier. */
    public function verifier(mixed ...$options): Verifier
    {
        return new Verifier($this->issuer, ...$options);
    }

    /** Creates a client for it, with options of Client. */
    public function client(mixed ...$options): Client
    {
        return new Client($this->secretKey, $this->torii->url, ...$options);
    }

    /** @param ?array<string, mixed> $body */
    private function ask(string $method, string $path, ?array $body = null): mixed
    {
        return $this->torii->control($method, "/issuers/$this->name$path", $body);
    }
}
