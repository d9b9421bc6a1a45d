<?php

declare(strict_types=1);

use Nyholm\Psr7\Factory\Psr17Factory;
use Torii\Tests\Adapters;

// The application of a configuration of adapters.json, whose name is in a header.
require __DIR__ . '/../bootstrap.php';

$factory = new Psr17Factory();
$request = $factory->createServerRequest($_SERVER['REQUEST_METHOD'], $_SERVER['REQUEST_URI'], $_SERVER)
    ->withBody($factory->createStreamFromFile('php://input'));
foreach (getallheaders() as $name => $value) {
    $request = $request->withHeader($name, $value);
}

$configuration = Adapters::corpus()['configurations'][$_SERVER['HTTP_TEST_CONFIGURATION']];
$response = (new Adapters($configuration, getenv('TORII_URL')))->answer($request);

foreach ($response->getHeaders() as $name => $values) {
    header("$name: " . implode(', ', $values));
}
// Last, since PHP sets the status to 401 with the header WWW-Authenticate.
http_response_code($response->getStatusCode());
echo $response->getBody();
