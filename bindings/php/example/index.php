<?php

// A guarded application: TORII_ISSUER=https://acme.torii.so php -S 127.0.0.1:8080 example/index.php

declare(strict_types=1);

use Nyholm\Psr7\Factory\Psr17Factory;
use Psr\Http\Message\ResponseInterface;
use Psr\Http\Message\ServerRequestInterface;
use Psr\Http\Server\RequestHandlerInterface;
use Torii\Middleware;
use Torii\Verifier;

require getenv('AUTOLOAD') ?: __DIR__ . '/../vendor/autoload.php';

$factory = new Psr17Factory();
$middleware = new Middleware(new Verifier(getenv('TORII_ISSUER')), $factory, cookie: 'torii_token');

$request = $factory->createServerRequest($_SERVER['REQUEST_METHOD'], $_SERVER['REQUEST_URI'], $_SERVER)
    ->withHeader('Authorization', $_SERVER['HTTP_AUTHORIZATION'] ?? '')
    ->withCookieParams($_COOKIE);

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

http_response_code($response->getStatusCode());
foreach ($response->getHeaders() as $name => $values) {
    header("$name: " . implode(', ', $values));
}
echo $response->getBody();
