<?php

// Serves examples/symfony as Symfony's own skeleton does; FOLDER is writable.

declare(strict_types=1);

use Symfony\Bundle\FrameworkBundle\FrameworkBundle;
use Symfony\Bundle\FrameworkBundle\Kernel\MicroKernelTrait;
use Symfony\Bundle\SecurityBundle\SecurityBundle;
use Symfony\Component\DependencyInjection\ContainerBuilder;
use Symfony\Component\DependencyInjection\Loader\Configurator\ContainerConfigurator;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpKernel\Kernel;
use Symfony\Component\Routing\Loader\Configurator\RoutingConfigurator;

(require getenv('AUTOLOAD'))(dirname(__DIR__, 3) . '/examples/symfony/src/');
require 'Symfony/Bundle/FrameworkBundle/autoload.php';
require 'Symfony/Bundle/SecurityBundle/autoload.php';
require 'Symfony/Component/Yaml/autoload.php';

$kernel = new class ('prod', false) extends Kernel {
    use MicroKernelTrait;

    public function registerBundles(): iterable
    {
        return [new FrameworkBundle(), new SecurityBundle()];
    }

    public function getProjectDir(): string
    {
        return dirname(__DIR__, 3) . '/examples/symfony';
    }

    public function getCacheDir(): string
    {
        return getenv('FOLDER') . '/cache';
    }

    public function getLogDir(): string
    {
        return getenv('FOLDER') . '/log';
    }

    protected function configureContainer(ContainerConfigurator $container): void
    {
        $container->extension('framework', ['secret' => bin2hex(random_bytes(16)), 'http_method_override' => false]);
        $container->import($this->getProjectDir() . '/config/packages/*.yaml');
        $container->import($this->getProjectDir() . '/config/services.yaml');
    }

    protected function configureRoutes(RoutingConfigurator $routes): void
    {
        $routes->import($this->getProjectDir() . '/config/routes.yaml');
    }
};
$request = Request::createFromGlobals();
$response = $kernel->handle($request);
$response->send();
$kernel->terminate($request, $response);
