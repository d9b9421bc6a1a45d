<?php

declare(strict_types=1);

namespace Torii\Resource;

use DateTimeInterface;
use Torii\Body;
use Torii\Exception\ToriiException;
use Torii\Field;
use Torii\Operations;
use Torii\Page;
use Torii\Record\User;
use Torii\Record\UserOrganization;

/** The users of the environment. Fields without a parameter are named arguments in `$more`. */
final readonly class Users
{
    /** @internal */
    public function __construct(private Operations $operations)
    {
    }

    /**
     * Lists users that match a filter. null is sent as null, for example to find users without a name.
     *
     * @param int $limit 1 to 100; 0: the API's default
     * @param list<string>|Field $userIds
     * @param list<string>|Field $emailAddresses
     * @param list<string>|Field $statuses of "active", "banned", "deleted"
     * @return Page<User>
     * @throws ToriiException
     */
    public function list(
        int $limit = 0,
        ?string $cursor = null,
        string|null|Field $name = Field::Unset,
        string|null|Field $email = Field::Unset,
        array|Field $userIds = Field::Unset,
        array|Field $emailAddresses = Field::Unset,
        array|Field $statuses = Field::Unset,
        DateTimeInterface|null|Field $createdAfter = Field::Unset,
        DateTimeInterface|null|Field $createdBefore = Field::Unset,
        string|null|Field $organizationId = Field::Unset,
        mixed ...$more,
    ): Page {
        $filter = Body::filter(compact(
            'name',
            'email',
            'userIds',
            'emailAddresses',
            'statuses',
            'createdAfter',
            'createdBefore',
            'organizationId',
        ) + $more);
        return $this->page($limit, $cursor, $filter);
    }

    /**
     * Returns a user.
     *
     * @throws ToriiException
     */
    public function get(string $userId): User
    {
        return User::from($this->operations->json('users_get', $userId));
    }

    /**
     * Creates a user. Never retried once sent: after a TransportException the user may exist, unless it is $unsent.
     *
     * @param array<string, mixed>|Field $publicMetadata
     * @param array<string, mixed>|Field $privateMetadata
     * @param array<string, mixed>|Field $unsafeMetadata
     * @throws ToriiException
     */
    public function create(
        string|null|Field $email = Field::Unset,
        #[\SensitiveParameter] string|null|Field $password = Field::Unset,
        string|null|Field $firstName = Field::Unset,
        string|null|Field $lastName = Field::Unset,
        array|Field $publicMetadata = Field::Unset,
        array|Field $privateMetadata = Field::Unset,
        array|Field $unsafeMetadata = Field::Unset,
        mixed ...$more,
    ): User {
        $body = Body::json(compact(
            'email',
            'password',
            'firstName',
            'lastName',
            'publicMetadata',
            'privateMetadata',
            'unsafeMetadata',
        ) + $more);
        return User::from($this->operations->json('users_create', $body));
    }

    /**
     * Sets fields to their values, clears those that are null, and leaves all others alone.
     *
     * @param array<string, mixed>|Field $unsafeMetadata
     * @throws ToriiException
     */
    public function update(
        string $userId,
        string|null|Field $firstName = Field::Unset,
        string|null|Field $lastName = Field::Unset,
        string|null|Field $locale = Field::Unset,
        array|Field $unsafeMetadata = Field::Unset,
        mixed ...$more,
    ): User {
        $body = Body::json(compact('firstName', 'lastName', 'locale', 'unsafeMetadata') + $more);
        return User::from($this->operations->json('users_update', $userId, $body));
    }

    /**
     * Merges metadata; a null removes its key.
     *
     * @param array<string, mixed>|Field $publicMetadata
     * @param array<string, mixed>|Field $privateMetadata
     * @param array<string, mixed>|Field $unsafeMetadata
     * @throws ToriiException
     */
    public function updateMetadata(
        string $userId,
        array|Field $publicMetadata = Field::Unset,
        array|Field $privateMetadata = Field::Unset,
        array|Field $unsafeMetadata = Field::Unset,
    ): User {
        $body = Body::json(compact('publicMetadata', 'privateMetadata', 'unsafeMetadata'));
        return User::from($this->operations->json('users_update_metadata', $userId, $body));
    }

    /**
     * Deletes a user.
     *
     * @throws ToriiException
     */
    public function delete(string $userId): void
    {
        $this->operations->nothing('users_delete', $userId);
    }

    /**
     * Bans a user, which also ends all sessions of the user.
     *
     * @throws ToriiException
     */
    public function ban(string $userId): User
    {
        return User::from($this->operations->json('users_ban', $userId));
    }

    /**
     * Lifts the ban of a user.
     *
     * @throws ToriiException
     */
    public function unban(string $userId): User
    {
        return User::from($this->operations->json('users_unban', $userId));
    }

    /**
     * Lists the organizations of a user.
     *
     * @return Page<UserOrganization>
     * @throws ToriiException
     */
    public function listOrganizations(string $userId, int $limit = 0, ?string $cursor = null): Page
    {
        return new Page(
            $this->operations->json('users_list_organizations', $userId, $limit, $cursor),
            UserOrganization::class,
            fn (string $next) => $this->listOrganizations($userId, $limit, $next),
        );
    }

    /** @return Page<User> */
    private function page(int $limit, ?string $cursor, ?string $filter): Page
    {
        return new Page(
            $this->operations->json('users_list', $limit, $cursor, $filter),
            User::class,
            fn (string $next) => $this->page($limit, $next, $filter),
        );
    }
}
