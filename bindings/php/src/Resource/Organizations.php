<?php

declare(strict_types=1);

namespace Torii\Resource;

use Torii\Body;
use Torii\Exception\ToriiException;
use Torii\Field;
use Torii\Operations;
use Torii\Page;
use Torii\Record\Organization;
use Torii\Record\OrganizationMember;

/** The organizations of the environment. */
final readonly class Organizations
{
    /** @internal */
    public function __construct(private Operations $operations)
    {
    }

    /**
     * Lists organizations.
     *
     * @param ?string $name a text to search for in their names
     * @return Page<Organization>
     * @throws ToriiException
     */
    public function list(int $limit = 0, ?string $cursor = null, ?string $name = null): Page
    {
        return new Page(
            $this->operations->json('organizations_list', $limit, $cursor, $name),
            Organization::class,
            fn (string $next) => $this->list($limit, $next, $name),
        );
    }

    /**
     * Returns an organization.
     *
     * @throws ToriiException
     */
    public function get(string $organizationId): Organization
    {
        return Organization::from($this->operations->json('organizations_get', $organizationId));
    }

    /**
     * Lists the members of an organization.
     *
     * @return Page<OrganizationMember>
     * @throws ToriiException
     */
    public function listMembers(string $organizationId, int $limit = 0, ?string $cursor = null): Page
    {
        return new Page(
            $this->operations->json('organizations_list_members', $organizationId, $limit, $cursor),
            OrganizationMember::class,
            fn (string $next) => $this->listMembers($organizationId, $limit, $next),
        );
    }

    /**
     * Merges metadata; a null removes its key.
     *
     * @param array<string, mixed>|Field $publicMetadata
     * @param array<string, mixed>|Field $privateMetadata
     * @throws ToriiException
     */
    public function updateMetadata(
        string $organizationId,
        array|Field $publicMetadata = Field::Unset,
        array|Field $privateMetadata = Field::Unset,
    ): Organization {
        $body = Body::json(compact('publicMetadata', 'privateMetadata'));
        return Organization::from($this->operations->json('organizations_update_metadata', $organizationId, $body));
    }

    /**
     * Merges metadata of a membership; a null removes its key.
     *
     * @param array<string, mixed>|Field $publicMetadata
     * @param array<string, mixed>|Field $privateMetadata
     * @throws ToriiException
     */
    public function updateMemberMetadata(
        string $organizationId,
        string $userId,
        array|Field $publicMetadata = Field::Unset,
        array|Field $privateMetadata = Field::Unset,
    ): OrganizationMember {
        return OrganizationMember::from($this->operations->json(
            'organizations_update_member_metadata',
            $organizationId,
            $userId,
            Body::json(compact('publicMetadata', 'privateMetadata')),
        ));
    }
}
