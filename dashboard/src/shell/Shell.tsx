import {
  ActionIcon,
  AppShell,
  Burger,
  Divider,
  Group,
  Menu,
  NavLink,
  ScrollArea,
  Select,
  Text,
  Tooltip,
  useComputedColorScheme,
  useMantineColorScheme,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import {
  IconActivityHeartbeat,
  IconChartBar,
  IconShadow,
  IconDatabase,
  IconKey,
  IconLayoutGrid,
  IconListDetails,
  IconLogout,
  IconMessage,
  IconMoon,
  IconReceipt,
  IconRepeat,
  IconRoute,
  IconRulerMeasure,
  IconServer,
  IconSettings,
  IconSun,
  IconTags,
  IconUser,
} from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import { useGateways } from '../api/gateways';
import { useSignOut } from '../api/session';
import { Mark } from '../parts/Mark';
import { useSession } from '../session/SessionContext';

/** The pages of a gateway, in the order of work. */
const PAGES = [
  { page: 'overview', label: 'Overview', icon: IconChartBar },
  { page: 'logs', label: 'Logs', icon: IconListDetails },
  { page: 'datasets', label: 'Datasets', icon: IconDatabase },
  { page: 'evaluations', label: 'Evaluations', icon: IconRulerMeasure },
  { page: 'replays', label: 'Replays', icon: IconRepeat },
  { page: 'shadows', label: 'Shadows', icon: IconShadow },
  { page: 'monitors', label: 'Monitors', icon: IconActivityHeartbeat },
  { page: 'annotate', label: 'Annotate', icon: IconTags },
  { page: 'routes', label: 'Routes', icon: IconRoute },
  { page: 'playground', label: 'Playground', icon: IconMessage },
  { page: 'settings', label: 'Settings', icon: IconSettings },
];
const ACCOUNT_PAGES = [
  { page: 'providers', label: 'Providers', icon: IconServer },
  { page: 'costs', label: 'Cost rules', icon: IconReceipt },
  { page: 'tokens', label: 'Tokens', icon: IconKey },
];

export function Shell({ children }: { children: ReactNode }) {
  const [opened, { toggle, close }] = useDisclosure();
  return (
    <AppShell header={{ height: 44 }} navbar={{ width: 196, breakpoint: 'sm', collapsed: { mobile: !opened } }} padding={0}>
      <a className="skip" href="#content">
        To the content
      </a>
      <AppShell.Header px="sm">
        <Group h="100%" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Navigation" aria-expanded={opened} />
            <Link href="/" aria-label="Gaugeway: all gateways" style={{ color: 'inherit', textDecoration: 'none' }}>
              <Mark />
            </Link>
          </Group>
          <Group gap={4} wrap="nowrap">
            <SchemeSwitch />
            <Account />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Pages">
        <Navigation onGo={close} />
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        {children}
      </AppShell.Main>
    </AppShell>
  );
}

function Navigation({ onGo }: { onGo: () => void }) {
  const [address, go] = useLocation();
  const gateways = useGateways();
  const [, section, gateway, page] = address.split('/');
  const current = section === 'gateways' && gateway ? decodeURIComponent(gateway) : null;
  const ids = gateways.data?.items.map((item) => item.id) ?? [];
  return (
    <ScrollArea type="auto">
      <NavLink
        component={Link}
        href="/"
        label="All gateways"
        leftSection={<IconLayoutGrid size={16} />}
        active={address === '/'}
        onClick={onGo}
      />
      {current !== null && (
        <>
          <Divider my="xs" />
          <Select
            aria-label="Gateway"
            data={ids.includes(current) ? ids : [current, ...ids]}
            value={current}
            searchable
            mb={4}
            onChange={(id) => id && go(`/gateways/${encodeURIComponent(id)}/${page ?? 'overview'}`)}
          />
          {PAGES.map(({ page: name, label, icon: Icon }) => (
            <NavLink
              key={name}
              component={Link}
              href={`/gateways/${encodeURIComponent(current)}/${name}`}
              label={label}
              leftSection={<Icon size={16} />}
              active={page === name}
              aria-current={page === name ? 'page' : undefined}
              onClick={onGo}
            />
          ))}
        </>
      )}
      <Divider my="xs" />
      {ACCOUNT_PAGES.map(({ page: name, label, icon: Icon }) => (
        <NavLink
          key={name}
          component={Link}
          href={`/account/${name}`}
          label={label}
          leftSection={<Icon size={16} />}
          active={section === 'account' && gateway === name}
          aria-current={section === 'account' && gateway === name ? 'page' : undefined}
          onClick={onGo}
        />
      ))}
    </ScrollArea>
  );
}

function SchemeSwitch() {
  const { setColorScheme } = useMantineColorScheme();
  const dark = useComputedColorScheme('light') === 'dark';
  const label = dark ? 'Light colours' : 'Dark colours';
  return (
    <Tooltip label={label}>
      <ActionIcon aria-label={label} onClick={() => setColorScheme(dark ? 'light' : 'dark')}>
        {dark ? <IconSun size={16} /> : <IconMoon size={16} />}
      </ActionIcon>
    </Tooltip>
  );
}

function Account() {
  const session = useSession();
  const signOut = useSignOut();
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon aria-label="Account">
          <IconUser size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="xs" className="cell">
            Token: {session.token_name}
          </Text>
          <Text size="xs">May: {session.permissions.map((one) => one.replace('AI Gateway ', '')).join(', ') || 'nothing'}</Text>
        </Menu.Label>
        <Menu.Item component="a" href="/docs" target="_blank" rel="noopener">
          Management API
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size={14} />} onClick={() => signOut.mutate()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
