<?php

declare(strict_types=1);

namespace Torii\Resource;

use Torii\Body;
use Torii\Exception\ToriiException;
use Torii\Field;
use Torii\Operations;
use Torii\Record\ImpersonationToken;

/** Signing in as another user. */
final readonly class Impersonation
{
    /** @internal */
    public function __construct(private Operations $operations)
    {
    }

    /**
     * Creates a single-use token to sign in as another user. Never retried once sent, since each call counts toward a quota.
     *
     * @throws ToriiException
     */
    public function createToken(
        string $userId,
        string $actorUserId,
        string $reason,
        string|null|Field $redirectUrl = Field::Unset,
        int|null|Field $expiresInSeconds = Field::Unset,
        mixed ...$more,
    ): ImpersonationToken {
        $body = Body::json(compact('actorUserId', 'reason', 'redirectUrl', 'expiresInSeconds') + $more);
        return ImpersonationToken::from($this->operations->json('impersonation_create_token', $userId, $body));
    }
}
