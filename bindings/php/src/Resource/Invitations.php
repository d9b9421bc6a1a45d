<?php

declare(strict_types=1);

namespace Torii\Resource;

use Torii\Body;
use Torii\Exception\ToriiException;
use Torii\Field;
use Torii\Operations;
use Torii\Page;
use Torii\Record\Invitation;

/** Invitations by email. */
final readonly class Invitations
{
    /** @internal */
    public function __construct(private Operations $operations)
    {
    }

    /**
     * Invites someone by email. Never retried once sent: after a TransportException the email may be on its way.
     *
     * @param array<string, mixed> $publicMetadata
     * @param array<string, mixed> $privateMetadata
     * @throws ToriiException
     */
    public function create(
        string $email,
        array $publicMetadata = [],
        array $privateMetadata = [],
        int|null|Field $expiresInDays = Field::Unset,
        string|null|Field $redirectUrl = Field::Unset,
        mixed ...$more,
    ): Invitation {
        $fields = compact('email', 'publicMetadata', 'privateMetadata', 'expiresInDays', 'redirectUrl') + $more;
        return Invitation::from($this->operations->json('invitations_create', Body::json($fields)));
    }

    /**
     * Lists invitations.
     *
     * @param ?list<string> $statuses such as ['PENDING', 'ACCEPTED']
     * @param ?string $search a text to search for
     * @return Page<Invitation>
     * @throws ToriiException
     */
    public function list(
        int $limit = 0,
        ?string $cursor = null,
        ?array $statuses = null,
        ?string $search = null,
    ): Page {
        $list = $statuses === null ? null : json_encode(array_values($statuses), JSON_THROW_ON_ERROR);
        return new Page(
            $this->operations->json('invitations_list', $limit, $cursor, $list, $search),
            Invitation::class,
            fn (string $next) => $this->list($limit, $next, $statuses, $search),
        );
    }

    /**
     * Returns an invitation, with its metadata.
     *
     * @throws ToriiException
     */
    public function get(string $invitationId): Invitation
    {
        return Invitation::from($this->operations->json('invitations_get', $invitationId));
    }

    /**
     * Sends an invitation again, with a new link. Never retried once sent.
     *
     * @throws ToriiException
     */
    public function resend(string $invitationId): Invitation
    {
        return Invitation::from($this->operations->json('invitations_resend', $invitationId));
    }

    /**
     * Revokes an invitation. Never retried once sent.
     *
     * @throws ToriiException
     */
    public function revoke(string $invitationId): void
    {
        $this->operations->nothing('invitations_revoke', $invitationId);
    }

    /**
     * Merges the metadata of a pending invitation; a null removes its key.
     *
     * @param array<string, mixed>|Field $publicMetadata
     * @param array<string, mixed>|Field $privateMetadata
     * @throws ToriiException
     */
    public function updateMetadata(
        string $invitationId,
        array|Field $publicMetadata = Field::Unset,
        array|Field $privateMetadata = Field::Unset,
    ): Invitation {
        $body = Body::json(compact('publicMetadata', 'privateMetadata'));
        return Invitation::from($this->operations->json('invitations_update_metadata', $invitationId, $body));
    }
}
