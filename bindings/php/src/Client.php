<?php

declare(strict_types=1);

namespace Torii;

use Torii\Exception\InvalidArgumentException;
use Torii\Exception\ToriiException;
use Torii\Resource\AllowedOrigins;
use Torii\Resource\Impersonation;
use Torii\Resource\Invitations;
use Torii\Resource\Organizations;
use Torii\Resource\Sessions;
use Torii\Resource\Users;

/**
 * Calls the backend API with the secret key of one environment. A client created before fork() works in
 * the children, with connections of their own.
 *
 *     $client = new Torii\Client(getenv('TORII_SECRET_KEY'));
 *     $client->users->update($userId, firstName: 'Ada', lastName: null);
 */
final class Client
{
    public readonly Users $users;
    public readonly Sessions $sessions;
    public readonly Organizations $organizations;
    public readonly Invitations $invitations;
    public readonly Impersonation $impersonation;
    public readonly AllowedOrigins $allowedOrigins;

    private readonly Operations $operations;

    /**
     * Sends nothing yet. null keeps the library's default.
     *
     * @param string $secretKey "sk_live_…" or "sk_test_…"
     * @param ?string $apiUrl "https://api.torii.so"
     * @param ?float $timeout seconds for a call, including its retries (30)
     * @param ?float $connectTimeout seconds for connecting (5)
     * @param ?int $maxRetries how often a call is retried (2)
     * @param ?string $caFile a PEM file of certificate authorities, instead of the platform's
     * @param ?string $proxy such as "http://proxy.example:3128"
     * @param ?string $userAgentSuffix such as "shop/1.2"
     * @param ?bool $allowHttp plain http to other hosts: anyone on the path learns the secret key
     * @throws InvalidArgumentException
     */
    public function __construct(
        #[\SensitiveParameter] string $secretKey,
        ?string $apiUrl = null,
        ?float $timeout = null,
        ?float $connectTimeout = null,
        ?int $maxRetries = null,
        ?string $caFile = null,
        #[\SensitiveParameter] ?string $proxy = null,
        ?string $userAgentSuffix = null,
        ?bool $allowHttp = null,
    ) {
        $options = new Options('client');
        $options->optionalText('set_api_url', $apiUrl);
        $options->milliseconds('set_timeout_ms', $timeout);
        $options->milliseconds('set_connect_timeout_ms', $connectTimeout);
        $options->number('set_max_retries', $maxRetries);
        $options->optionalText('set_ca_file', $caFile);
        $options->optionalText('set_proxy', $proxy);
        $options->optionalText('set_user_agent_suffix', $userAgentSuffix);
        $options->value('set_allow_http', $allowHttp);
        $this->operations = new Operations($options->make($secretKey));
        $this->users = new Users($this->operations);
        $this->sessions = new Sessions($this->operations);
        $this->organizations = new Organizations($this->operations);
        $this->invitations = new Invitations($this->operations);
        $this->impersonation = new Impersonation($this->operations);
        $this->allowedOrigins = new AllowedOrigins($this->operations);
    }

    /**
     * Calls an operation that is newer than this package.
     *
     * @param string $method "GET", "POST", "PUT", "PATCH" or "DELETE"
     * @param string $path such as "/api/server/v1/users"
     * @param array<string, mixed> $query
     * @param ?array<string, mixed> $body
     * @return mixed the answer, its objects as arrays; null if it has no body
     * @throws ToriiException
     */
    public function request(string $method, string $path, array $query = [], ?array $body = null): mixed
    {
        return $this->operations->json(
            'request',
            $method,
            $path,
            http_build_query($query),
            $body === null ? null : Body::json($body),
        );
    }

    /** Closes the client and its connections. */
    public function close(): void
    {
        $this->operations->close();
    }
}
