<?php

declare(strict_types=1);

namespace Torii\Tests;

use Torii\Client;
use Torii\Exception\InvalidArgumentException;
use Torii\Exception\TokenException;
use Torii\Verifier;

/** Text of every kind arrives unchanged, or is refused with its name. */
final class StringsTest extends EmulatorTestCase
{
    private const MIB = 1 << 20;

    public function testTokensAndHeaders(): void
    {
        $verifier = new Verifier($this->issuer);
        $texts = [
            ['', 'token_missing'],
            ["a\0b.c.d", 'token_malformed'],
            ["\xFF.\xFE.x", 'token_malformed'],
            [str_repeat('x', self::MIB), 'token_too_large'],
        ];
        foreach ($texts as [$text, $status]) {
            self::assertSame($status, self::thrown(TokenException::class, fn () => $verifier->verify($text))->status);
            self::thrown(TokenException::class, static fn () => $verifier->authenticate($text));
        }
    }

    public function testAClaimWithANul(): void
    {
        $auth = (new Verifier($this->issuer))->verify($this->token(['note' => "a\0b", 'o' => "\u{e9}\u{1F600}"]));
        self::assertSame(["a\0b", "\u{e9}\u{1F600}"], [$auth->claims()['note'], $auth->claims()['o']]);
    }

    public function testIssuersAndKeys(): void
    {
        foreach (['', "https://a\0b.example", "https://\xFF.example", str_repeat('x', self::MIB)] as $text) {
            $e = self::thrown(InvalidArgumentException::class, static fn () => new Verifier($text));
            self::assertStringContainsString('issuer', $e->getMessage());
            $e = self::thrown(InvalidArgumentException::class, static fn () => new Client($text));
            self::assertStringContainsString('secret', $e->getMessage());
        }
    }

    public function testFields(): void
    {
        $users = $this->client()->users;
        $user = $users->create(firstName: "a\0b \u{1F600}", lastName: '');
        self::assertSame(["a\0b \u{1F600}", ''], [$user->firstName, $user->lastName]);
        $update = static fn () => $users->update($user->id, firstName: "\xFF");
        $e = self::thrown(InvalidArgumentException::class, $update);
        self::assertStringContainsString('firstName', $e->getMessage());
        $long = str_repeat('x', self::MIB);
        $users->update($user->id, firstName: $long);
        self::assertSame(['firstName' => $long], json_decode($this->torii->requests('/api/')[1]['body'], true));
    }

    public function testIds(): void
    {
        $users = $this->client()->users;
        foreach (['', "a\0b", "\xFF", str_repeat('x', self::MIB)] as $id) {
            $e = self::thrown(InvalidArgumentException::class, static fn () => $users->get($id));
            self::assertStringContainsString('user_id', $e->getMessage());
        }
    }
}
