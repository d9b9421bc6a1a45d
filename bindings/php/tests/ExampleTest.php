<?php

declare(strict_types=1);

namespace Torii\Tests;

/** The examples run. */
final class ExampleTest extends EmulatorTestCase
{
    public function testUsers(): void
    {
        $id = $this->client()->users->create(email: 'ada@example.org')->id;
        $php = $this->start(['example/users.php'], [
            'TORII_SECRET_KEY' => $this->torii->secretKey,
            'TORII_API_URL' => $this->torii->url,
        ], $pipes);
        self::assertSame("$id ada@example.org\n", stream_get_contents($pipes[1]));
        self::assertSame(0, proc_close($php));
    }

    public function testApplication(): void
    {
        $environment = ['TORII_ISSUER' => $this->issuer];
        $php = $this->start(['-S', '127.0.0.1:0', 'example/index.php'], $environment, $pipes);
        // It tells its port first.
        preg_match('/http:[^)]+/', fgets($pipes[2]), $url);
        $get = static fn ($header) => file_get_contents($url[0], false, stream_context_create(
            ['http' => ['header' => $header, 'ignore_errors' => true]],
        ));
        try {
            $token = $this->token(['sub' => self::USER]);
            self::assertSame('{"userId":"' . self::USER . '"}', $get("Authorization: Bearer $token"));
            self::assertSame('{"userId":"' . self::USER . '"}', $get("Cookie: app_token=$token"));
            self::assertStringContainsString('authentication_failed', $get('Accept: */*'));
        } finally {
            proc_terminate($php);
            proc_close($php);
        }
    }

    /**
     * @param list<string> $arguments
     * @param array<string, string> $environment
     * @return resource
     */
    private function start(array $arguments, array $environment, ?array &$pipes): mixed
    {
        $environment += ['AUTOLOAD' => __DIR__ . '/bootstrap.php', 'TORII_LIBRARY' => getenv('TORII_LIBRARY')];
        $command = [PHP_BINARY, '-d', 'ffi.enable=true', ...$arguments];
        return proc_open($command, [1 => ['pipe', 'w'], 2 => ['pipe', 'w']], $pipes, dirname(__DIR__), $environment);
    }
}
