<?php

declare(strict_types=1);

namespace Torii\Tests;

use DateTimeImmutable;
use Torii\Client;
use Torii\Exception\ApiException;
use Torii\Exception\ClosedException;
use Torii\Exception\InvalidArgumentException;
use Torii\Exception\ResponseException;
use Torii\Exception\TimeoutException;
use Torii\Exception\TransportException;
use Torii\Field;

/** All operations against the local torii, which checks every request against the contract. */
final class ClientTest extends EmulatorTestCase
{
    private Client $client;

    protected function setUp(): void
    {
        parent::setUp();
        $this->client = $this->client();
    }

    protected function assertPostConditions(): void
    {
        self::assertSame([], $this->torii->control('GET', '/violations'));
    }

    public function testUsers(): void
    {
        $users = $this->client->users;
        $bags = ['publicMetadata' => [], 'unsafeMetadata' => ['a' => 1]];
        $user = $users->create(...['email' => 'ada@example.org', 'firstName' => 'Ada'] + $bags);
        $this->assertSent('POST', '/users', '{"email":"ada@example.org","firstName":"Ada","publicMetadata":{},'
            . '"unsafeMetadata":{"a":1}}');
        self::assertEqualsWithDelta(time(), $user->createdAt->getTimestamp(), 60);
        self::assertEquals($user, $users->get($user->id));
        $this->assertSent('GET', "/users/$user->id");
        self::assertSame('banned', $users->ban($user->id)->status);
        $this->assertSent('POST', "/users/$user->id/ban");
        self::assertSame('active', $users->unban($user->id)->status);
        $this->assertSent('POST', "/users/$user->id/unban");
        $changed = $users->updateMetadata($user->id, publicMetadata: ['b' => [2]], unsafeMetadata: ['a' => null]);
        $body = '{"publicMetadata":{"b":[2]},"unsafeMetadata":{"a":null}}';
        $this->assertSent('PATCH', "/users/$user->id/metadata", $body);
        self::assertSame([['b' => [2]], []], [$changed->publicMetadata, $changed->unsafeMetadata]);
        $users->delete($user->id);
        $this->assertSent('DELETE', "/users/$user->id");
    }

    public function testUpdateSetsClearsAndLeavesAlone(): void
    {
        $users = $this->client->users;
        $id = $users->create(firstName: 'Ada', lastName: 'Byron', locale: 'en')->id;
        $user = $users->update($id, firstName: 'Augusta', lastName: null, locale: Field::Unset);
        $this->assertSent('PATCH', "/users/$id", '{"firstName":"Augusta","lastName":null}');
        self::assertSame(['Augusta', null, 'en'], [$user->firstName, $user->lastName, $user->locale]);
        $users->update($id);
        $this->assertSent('PATCH', "/users/$id", '{}');
        $users->update($id, unsafeMetadata: []);
        $this->assertSent('PATCH', "/users/$id", '{"unsafeMetadata":{}}');
        $older = $users->update($id, name: 'Ada', phone: null);
        $this->assertSent('PATCH', "/users/$id", '{"name":"Ada","phone":null}');
        self::assertSame('Ada', $older->name);
    }

    public function testUserPages(): void
    {
        $users = $this->client->users;
        $ids = array_map(static fn ($i) => $users->create(email: "user$i@example.org")->id, range(1, 5));
        $page = $users->list(limit: 2, email: 'example.org');
        $this->assertSent('POST', '/users/search', '{"email":"example.org"}', 'limit=2');
        self::assertSame(array_slice($ids, 0, 2), array_column(iterator_to_array($page), 'id'));
        self::assertSame($ids, array_column(iterator_to_array($page->all(), false), 'id'));
        $this->assertSent('POST', '/users/search', '{"email":"example.org"}', "limit=2&cursor=$ids[3]");
        self::assertSame([2, 2, 1], array_map('count', iterator_to_array($page->pages())));
        self::assertNull($page->next()->next()->next());
        $before = count($this->torii->requests('/api/'));
        foreach ($users->list(limit: 3)->all() as $i => $user) {
            self::assertSame($ids[$i], $user->id);
            if ($i === 2) {
                break;
            }
        }
        self::assertCount($before + 1, $this->torii->requests('/api/'));
        $users->list();
        $this->assertSent('POST', '/users/search');
    }

    public function testUserFilters(): void
    {
        $page = $this->client->users->list(
            name: null,
            userIds: [self::USER],
            emailAddresses: ['a@example.org'],
            statuses: ['active'],
            createdAfter: new DateTimeImmutable('@0'),
            organizationId: self::USER,
        );
        self::assertCount(0, $page);
        $this->assertSent('POST', '/users/search', '{"name":null,"userIds":["' . self::USER . '"],"emailAddresses":'
            . '["a@example.org"],"statuses":["active"],"createdAfter":"1970-01-01T00:00:00.000000+00:00",'
            . '"organizationId":"' . self::USER . '"}');
    }

    public function testSessions(): void
    {
        $sessions = $this->client->sessions;
        $id = $this->client->users->create(email: 'ada@example.org')->id;
        $login = static fn () => self::torii()->control('POST', '/issuers/acme/sessions', ['user_id' => $id])['session']['id'];
        [$first, $second] = [$login(), $login()];
        self::assertCount(2, $sessions->listForUser($id));
        $this->assertSent('GET', "/users/$id/sessions");
        $sessions->revoke($id, $first);
        $this->assertSent('DELETE', "/users/$id/sessions/$first");
        self::assertSame([$second], array_column($sessions->listForUser($id), 'id'));
        $sessions->revokeAllForUser($id);
        $this->assertSent('DELETE', "/users/$id/sessions");
        self::assertSame([], $sessions->listForUser($id));
    }

    public function testOrganizations(): void
    {
        $organizations = $this->client->organizations;
        $user = $this->client->users->create(email: 'ada@example.org')->id;
        $created = ['name' => 'Engines', 'slug' => 'ae'];
        $id = $this->torii->control('POST', '/issuers/acme/organizations', $created)['id'];
        $member = ['user_id' => $user, 'role' => 'org:member'];
        $this->torii->control('POST', "/issuers/acme/organizations/$id/members", $member);

        self::assertSame([$id], array_column($organizations->list(limit: 5, name: 'engines')->items, 'id'));
        $this->assertSent('GET', '/organizations', null, 'limit=5&name=engines');
        self::assertSame('ae', $organizations->get($id)->slug);
        $this->assertSent('GET', "/organizations/$id");
        $member = $organizations->listMembers($id, limit: 1)->items[0];
        $this->assertSent('GET', "/organizations/$id/members", null, 'limit=1');
        self::assertSame([$user, 'org:member'], [$member->userId, $member->role]);
        $organization = $this->client->users->listOrganizations($user, limit: 9)->items[0];
        $this->assertSent('GET', "/users/$user/organizations", null, 'limit=9');
        self::assertSame([$id, 'Engines'], [$organization->organizationId, $organization->name]);

        self::assertSame(['a' => 1], $organizations->updateMetadata($id, publicMetadata: ['a' => 1])->publicMetadata);
        $this->assertSent('PATCH', "/organizations/$id/metadata", '{"publicMetadata":{"a":1}}');
        $member = $organizations->updateMemberMetadata($id, $user, privateMetadata: ['b' => 2]);
        $this->assertSent('PATCH', "/organizations/$id/members/$user/metadata", '{"privateMetadata":{"b":2}}');
        self::assertSame(['b' => 2], $member->privateMetadata);
    }

    public function testInvitations(): void
    {
        $invitations = $this->client->invitations;
        $invitation = $invitations->create('new@example.org', expiresInDays: 3);
        $this->assertSent('POST', '/invitations', '{"email":"new@example.org","publicMetadata":{},"privateMetadata":{},'
            . '"expiresInDays":3}');
        self::assertSame(['PENDING', null], [$invitation->status, $invitation->publicMetadata]);
        $id = $invitation->id;
        $page = $invitations->list(limit: 7, statuses: ['PENDING', 'EXPIRED'], search: 'new@');
        $this->assertSent('GET', '/invitations', null, 'limit=7&status=PENDING&status=EXPIRED&search=new%40');
        self::assertSame([$id], array_column($page->items, 'id'));
        self::assertSame([], $invitations->get($id)->publicMetadata);
        $this->assertSent('GET', "/invitations/$id");
        self::assertSame(['c' => []], $invitations->updateMetadata($id, privateMetadata: ['c' => []])->privateMetadata);
        $this->assertSent('PATCH', "/invitations/$id", '{"privateMetadata":{"c":[]}}');
        self::assertSame($id, $invitations->resend($id)->id);
        $this->assertSent('POST', "/invitations/$id/resend");
        $invitations->revoke($id);
        $this->assertSent('DELETE', "/invitations/$id");
    }

    public function testImpersonation(): void
    {
        [$ada, $operator] = array_map(
            fn ($name) => $this->client->users->create(email: "$name@example.org")->id,
            ['ada', 'op'],
        );
        $token = $this->client->impersonation->createToken($ada, $operator, 'asked', expiresInSeconds: 60);
        $this->assertSent('POST', "/users/$ada/impersonation-token", '{"actorUserId":"' . $operator
            . '","reason":"asked","expiresInSeconds":60}');
        self::assertSame(60, $token->expiresInSeconds);
        self::assertNotSame('', $token->token);
    }

    public function testAllowedOrigins(): void
    {
        self::assertSame(['https://a.example'], $this->client->allowedOrigins->set(['https://a.example']));
        $this->assertSent('PUT', '/allowed-origins', '{"origins":["https://a.example"]}');
        self::assertSame(['https://a.example'], $this->client->allowedOrigins->get());
        $this->assertSent('GET', '/allowed-origins');
    }

    public function testRequest(): void
    {
        $user = $this->client->request('POST', '/api/server/v1/users', body: ['firstName' => 'Ada']);
        $this->assertSent('POST', '/users', '{"firstName":"Ada"}');
        $this->client->request('GET', '/api/server/v1/organizations', ['name' => 'a&b', 'limit' => 2]);
        $this->assertSent('GET', '/organizations', null, 'name=a%26b&limit=2');
        self::assertNull($this->client->request('DELETE', "/api/server/v1/users/{$user['id']}"));
    }

    public function testApiErrors(): void
    {
        $e = self::thrown(ApiException::class, fn () => $this->client->users->get(self::USER));
        $problem = json_decode($e->body, true);
        self::assertSame(
            ['api', 404, 'not_found', $problem['supportId'], $problem['detail'], 500],
            [$e->status, $e->httpStatus, $e->errorCode, $e->supportId, $e->getMessage(), $e->answerStatus],
        );
        $this->torii->control('PUT', '/issuers/acme/settings', ['invitation_quota' => 0, 'retry_after' => 7]);
        $e = self::thrown(ApiException::class, fn () => $this->client->invitations->create('a@example.org'));
        self::assertSame([429, 7], [$e->httpStatus, $e->retryAfter]);
        $stranger = new Client('sk_test_wrong', $this->torii->url);
        $e = self::thrown(ApiException::class, static fn () => $stranger->allowedOrigins->get());
        self::assertSame(401, $e->httpStatus);
        self::assertStringNotContainsString('sk_test_wrong', (string) $e);
    }

    public function testFailuresOnTheWay(): void
    {
        $get = fn () => $this->client->allowedOrigins->get();
        $this->torii->fault('/api/', ['kind' => 'replace', 'body' => 'not JSON']);
        $e = self::thrown(ResponseException::class, $get);
        self::assertSame(['response', 200], [$e->status, $e->httpStatus]);
        $this->torii->control('DELETE', '/faults');
        $this->torii->fault('/api/', ['kind' => 'replace', 'body' => '{"origins":7}']);
        self::assertStringContainsString('origins', self::thrown(ResponseException::class, $get)->getMessage());
        $this->torii->control('DELETE', '/faults');
        $this->torii->fault('/api/', ['kind' => 'hang']);
        self::thrown(TimeoutException::class, fn () => $this->client(timeout: 0.2)->allowedOrigins->get());
        $closed = stream_socket_server('tcp://127.0.0.1:0');
        $address = stream_socket_get_name($closed, false);
        fclose($closed);
        $nobody = new Client('sk_test_x', "http://$address", maxRetries: 0);
        self::thrown(TransportException::class, static fn () => $nobody->allowedOrigins->get());
    }

    public function testOptions(): void
    {
        $this->client(userAgentSuffix: 'shop/1.2')->allowedOrigins->get();
        $headers = array_column($this->torii->requests('/api/')[0]['headers'], 1, 0);
        self::assertStringEndsWith('shop/1.2', $headers['user-agent']);
        $wrong = ['apiUrl' => 'nowhere', 'timeout' => 0, 'connectTimeout' => 61, 'maxRetries' => 11,
            'caFile' => '/no/such/file', 'proxy' => 'nowhere', 'userAgentSuffix' => "a\nb"];
        foreach ($wrong as $name => $value) {
            $make = static fn () => new Client(...['sk_test_x', $name => $value]);
            self::thrown(InvalidArgumentException::class, $make);
        }
        $e = self::thrown(InvalidArgumentException::class, fn () => $this->client->users->list(limit: -1));
        self::assertStringContainsString('limit', $e->getMessage());
        self::assertStringNotContainsString('sk_test', print_r($this->client, true));
    }

    public function testUseAfterClose(): void
    {
        $this->client->close();
        $this->client->close();
        $e = self::thrown(ClosedException::class, fn () => $this->client->users->get(self::USER));
        self::assertSame('Torii\Client is closed', $e->getMessage());
    }

    /** Asserts the last request. */
    private function assertSent(string $method, string $path, ?string $body = null, ?string $query = null): void
    {
        $requests = $this->torii->requests('/api/');
        $sent = end($requests);
        self::assertSame(
            [$method, "/api/server/v1$path", (string) $body, (string) $query],
            [$sent['method'], $sent['path'], (string) $sent['body'], (string) $sent['query']],
        );
    }
}
