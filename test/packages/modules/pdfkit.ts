import PDFDocument from 'pdfkit';

/** pdfkit reads the metrics of its fonts from files beside its code. */
export async function check() {
  const document = new PDFDocument({ compress: false });
  document.font('Times-Roman').fontSize(20).text('Hello Ada');
  document.end();
  const pdf = Buffer.concat((await document.toArray()) as Buffer[]).toString('latin1');
  return { start: pdf.slice(0, 5), hasFont: pdf.includes('/BaseFont /Times-Roman') };
}
