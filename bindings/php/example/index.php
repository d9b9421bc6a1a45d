<?php

// A guarded application: TORII_ISSUER=https://acme.torii.so php -S 127.0.0.1:8080 example/index.php
// TORII_KEY_CACHE, a directory only for this application, keeps keys for workers that start later.

declare(strict_types=1);

use Nyholm\Psr7\Factory\Psr17Factory;
use Psr\Http\Message\ResponseInterface;
use Psr\Http\Message\ServerRequestInterface;
use Psr\Http\Server\RequestHandlerInterface;
use Torii\Middleware;
use Torii\Verifier;

require getenv('AUTOLOAD') ?: __DIR__ . '/../vendor/autoload.php';

$factory = new Psr17Factory();
$verifier = new Verifier(getenv('TORII_ISSUER'), keyCacheDir: getenv('TORII_KEY_CACHE') ?: null);
$middleware = new Middleware($verifier, $factory, cookie: 'app_token');

$request = $factory->createServerRequest($_SERVER['REQUEST_METHOD'], $_SERVER['REQUEST_URI'], $_SERVER);
foreach (getallheaders() as $name => $value) {
    $request = $request->withHeader($name, $value);
}

$response = $middleware->process($request, new class ($factory) implements RequestHandlerInterface {
    public function __construct(private readonly Psr17Factory $factory)
    {
    }

    public function handle(ServerRequestInterface $request): ResponseInterface
    {
        $auth = $request->getAttribute(Middleware::ATTRIBUTE);
        $response = $this->factory->createResponse()->withHeader('Content-Type', 'application/json');
        $response->getBody()->write(json_encode(['userId' => $auth->userId]));
        return $response;
    }
});

foreach ($response->getHeaders() as $name => $values) {
    header("$name: " . implode(', ', $values));
}
// Last, since PHP sets the status to 401 with the header WWW-Authenticate.
http_response_code($response->getStatusCode());
echo $response->getBody();
