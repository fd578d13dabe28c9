import { Alert, Stack, Tabs, Text } from '@mantine/core';
import { useGateway, useGatewayUrl } from '../api/gateways';
import { Snippet } from '../parts/Copy';
import { Failed, Loading } from '../parts/States';

/** The three lines that point a client at a gateway, in three languages. */
export function Connect({ gateway }: { gateway: string }) {
  const url = useGatewayUrl(gateway, 'openai');
  const settings = useGateway(gateway);
  if (url.isPending) return <Loading rows={4} />;
  if (url.isError) return <Failed problem={url.error} retry={() => void url.refetch()} />;
  return (
    <Stack gap="sm">
      <Tabs defaultValue="python">
        <Tabs.List>
          <Tabs.Tab value="python">Python</Tabs.Tab>
          <Tabs.Tab value="node">JavaScript</Tabs.Tab>
          <Tabs.Tab value="curl">curl</Tabs.Tab>
        </Tabs.List>
        {Object.entries(snippets(url.data)).map(([name, text]) => (
          <Tabs.Panel key={name} value={name} pt="xs">
            <Snippet text={text} label={`${name} example`} />
          </Tabs.Panel>
        ))}
      </Tabs>
      {settings.data?.authentication && (
        <Alert color="yellow" variant="light">
          <Text size="sm">
            This gateway asks for a token: add the header cf-aig-authorization: Bearer … with a token that has the permission Run.
          </Text>
        </Alert>
      )}
    </Stack>
  );
}

function snippets(url: string): Record<string, string> {
  return {
    python: `from openai import OpenAI
client = OpenAI(base_url="${url}")
client.responses.create(model="gpt-5-mini", input="Hello")`,
    node: `import OpenAI from 'openai';
const client = new OpenAI({ baseURL: '${url}' });
await client.responses.create({ model: 'gpt-5-mini', input: 'Hello' });`,
    curl: `curl ${url}/responses \\
  -H "Authorization: Bearer $OPENAI_API_KEY" -H "Content-Type: application/json" \\
  -d '{"model": "gpt-5-mini", "input": "Hello"}'`,
  };
}
