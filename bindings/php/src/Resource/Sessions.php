<?php

declare(strict_types=1);

namespace Torii\Resource;

use Torii\Exception\ToriiException;
use Torii\Operations;
use Torii\Record\Session;

/** The sessions of users. */
final readonly class Sessions
{
    /** @internal */
    public function __construct(private Operations $operations)
    {
    }

    /**
     * Lists the active sessions of a user.
     *
     * @return list<Session>
     * @throws ToriiException
     */
    public function listForUser(string $userId): array
    {
        return array_map(Session::from(...), $this->operations->json('sessions_list_for_user', $userId));
    }

    /**
     * Ends all sessions of a user.
     *
     * @throws ToriiException
     */
    public function revokeAllForUser(string $userId): void
    {
        $this->operations->nothing('sessions_revoke_all_for_user', $userId);
    }

    /**
     * Ends a session. Succeeds if the session has already ended.
     *
     * @throws ToriiException
     */
    public function revoke(string $userId, string $sessionId): void
    {
        $this->operations->nothing('sessions_revoke', $userId, $sessionId);
    }
}
