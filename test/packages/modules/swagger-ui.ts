import express from 'express';
import swaggerUi from 'swagger-ui-express';

const description = { openapi: '3.0.0', info: { title: 'Hot API', version: '1' }, paths: {} };
const app = express();
app.use('/docs', swaggerUi.serve, swaggerUi.setup(description));
app.listen(9131);

/** swagger-ui-express serves the page from files of swagger-ui-dist. */
export async function check() {
  const read = async (file: string) => {
    const response = await fetch(`http://127.0.0.1:9131/docs/${file}`);
    return { type: response.headers.get('content-type'), text: await response.text() };
  };
  const [page, script, style] = [await read(''), await read('swagger-ui-init.js'), await read('swagger-ui.css')];
  return [page.text.includes('id="swagger-ui"'), script.text.includes('Hot API'), style.type];
}
